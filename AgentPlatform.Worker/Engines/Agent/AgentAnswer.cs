using System.Text;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Worker.Engines.Agent.Tools;

namespace AgentPlatform.Worker.Engines.Agent;

/// <summary>
/// Writes an agent's answer. What OpenAI's objects have no place for, tools and limits, is in the member <c>agentplatform</c>. A streamed
/// and a whole answer have the same text. Each part ends the one before.
/// </summary>
internal sealed class AgentAnswer : IDisposable
{
    private const string Gap = "\n\n";

    private readonly ChatParts _parts = new();
    private readonly StringBuilder _text = new();
    private readonly List<ToolOutcome> _tools = [];
    private bool _isNewTurn;

    /// <summary>Tokens of all calls of the model.</summary>
    public TokenUsage Usage { get; private set; }

    /// <summary>A turn of the model is over.</summary>
    public void EndTurn(TokenUsage usage)
    {
        Usage = new TokenUsage(Usage.Input + usage.Input, Usage.Output + usage.Output);
        _isNewTurn = _text.Length > 0;
    }

    /// <summary>A piece of the model's text; a turn after the first begins with a paragraph of its own.</summary>
    public ReplyPart Text(string text)
    {
        var piece = _isNewTurn ? Gap + text : text;
        _isNewTurn = false;
        _text.Append(piece);
        return _parts.Token(0, piece);
    }

    /// <summary><c>{"choices":[...],"agentplatform":{"tool":{"id":"c1","name":"weather","status":"started"}}}</c></summary>
    public ReplyPart Started(ToolCall call) => _parts.Progress(0, json =>
    {
        json.WriteStartObject("tool");
        json.WriteString("id", call.Id);
        json.WriteString("name", call.Function);
        json.WriteString("status", "started");
        json.WriteEndObject();
    });

    /// <summary>
    /// The same at its end, with <c>"status":"succeeded"</c> (<c>failed</c>, <c>timed_out</c>) and <c>"duration_ms":12</c>.
    /// </summary>
    public ReplyPart Ended(ToolOutcome outcome)
    {
        _tools.Add(outcome);
        return _parts.Progress(0, json =>
        {
            json.WritePropertyName("tool");
            Write(json, outcome);
        });
    }

    /// <summary>The stream's last chunk: why it ends, and in <c>agentplatform.limit</c> the limit that ended it.</summary>
    public ReplyPart Finish(string reason, string? limit) =>
        _parts.Finish(0, reason, limit is null ? null : json => json.WriteString("limit", limit));

    /// <summary>The stream's end.</summary>
    public ReplyPart End() => _parts.End(Usage);

    /// <summary>The whole answer.</summary>
    public ReplyPart Result(string reason, string? limit) =>
        _parts.Result([new ChatChoice(_text.ToString(), reason)], Usage, _tools.Count == 0 && limit is null ? null : json =>
        {
            json.WriteStartArray("tools");
            _tools.ForEach(tool => Write(json, tool));
            json.WriteEndArray();
            if (limit is not null)
            {
                json.WriteString("limit", limit);
            }
        });

    /// <inheritdoc/>
    public void Dispose() => _parts.Dispose();

    private static void Write(Utf8JsonWriter json, ToolOutcome tool)
    {
        json.WriteStartObject();
        json.WriteString("id", tool.Call.Id);
        json.WriteString("name", tool.Call.Function);
        json.WriteString(
            "status", tool.Status switch { ToolStatus.Succeeded => "succeeded", ToolStatus.TimedOut => "timed_out", _ => "failed" });
        json.WriteNumber("duration_ms", (long)tool.Duration.TotalMilliseconds);
        json.WriteEndObject();
    }
}
