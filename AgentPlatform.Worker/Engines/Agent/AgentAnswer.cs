using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Worker.Engines.Agent.Tools;

namespace AgentPlatform.Worker.Engines.Agent;

/// <summary>
/// Writes an agent's answer. What OpenAI's objects have no place for, tools and limits, is in a member <c>agentplatform</c> beside
/// <c>choices</c>, which clients that do not know it skip. A streamed and a whole answer have the same text.
/// </summary>
internal sealed class AgentAnswer
{
    private const string Gap = "\n\n";

    // Made for JSON bodies and SSE, never for HTML.
    private static readonly JsonWriterOptions _relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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

    /// <summary>The stream's first chunk: <c>{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}</c></summary>
    public static ReplyPart Role() => Delta(reason: null, static json =>
    {
        json.WriteString("role", "assistant");
        json.WriteString("content", "");
    });

    /// <summary><c>{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}</c></summary>
    public ReplyPart Text(string text)
    {
        var piece = _isNewTurn ? Gap + text : text;
        _isNewTurn = false;
        _text.Append(piece);
        return Delta(reason: null, json => json.WriteString("content", piece));
    }

    /// <summary><c>{"choices":[...],"agentplatform":{"tool":{"id":"c1","name":"weather","status":"started"}}}</c></summary>
    public static ReplyPart Started(ToolCall call) => Delta(reason: null, more: json =>
    {
        json.WriteStartObject("tool");
        json.WriteString("id", call.Id);
        json.WriteString("name", call.Function);
        json.WriteString("status", "started");
        json.WriteEndObject();
    });

    /// <summary>The same at its end, with <c>"status":"succeeded"</c> (<c>failed</c>, <c>timed_out</c>) and <c>"duration_ms":12</c>.</summary>
    public ReplyPart Ended(ToolOutcome outcome)
    {
        _tools.Add(outcome);
        return Delta(reason: null, more: json =>
        {
            json.WritePropertyName("tool");
            Write(json, outcome);
        });
    }

    /// <summary>The stream's last chunk: why it ends, and in <c>agentplatform.limit</c> the limit that ended it.</summary>
    public static ReplyPart Finish(string reason, string? limit) => Delta(reason, more: limit is null ? null : json => json.WriteString("limit", limit));

    /// <summary>The stream's end.</summary>
    public ReplyPart End() => new(ReplyKind.End, WriteObject(WriteUsage));

    /// <summary>The whole answer.</summary>
    public ReplyPart Result(string reason, string? limit) => new(ReplyKind.Result, WriteObject(json =>
    {
        json.WriteStartArray("choices");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
        json.WriteStartObject("message");
        json.WriteString("role", "assistant");
        json.WriteString("content", _text.ToString());
        json.WriteEndObject();
        json.WriteString("finish_reason", reason);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("usage");
        WriteUsage(json);
        json.WriteEndObject();
        if (_tools.Count > 0 || limit is not null)
        {
            json.WriteStartObject("agentplatform");
            json.WriteStartArray("tools");
            _tools.ForEach(tool => Write(json, tool));
            json.WriteEndArray();
            if (limit is not null)
            {
                json.WriteString("limit", limit);
            }

            json.WriteEndObject();
        }
    }));

    private static ReplyPart Delta(string? reason, Action<Utf8JsonWriter>? delta = null, Action<Utf8JsonWriter>? more = null) => new(ReplyKind.Delta, WriteObject(json =>
    {
        json.WriteStartArray("choices");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
        json.WriteStartObject("delta");
        delta?.Invoke(json);
        json.WriteEndObject();
        json.WriteString("finish_reason", reason);
        json.WriteEndObject();
        json.WriteEndArray();
        if (more is not null)
        {
            json.WriteStartObject("agentplatform");
            more(json);
            json.WriteEndObject();
        }
    }));

    private static void Write(Utf8JsonWriter json, ToolOutcome tool)
    {
        json.WriteStartObject();
        json.WriteString("id", tool.Call.Id);
        json.WriteString("name", tool.Call.Function);
        json.WriteString("status", tool.Status switch { ToolStatus.Succeeded => "succeeded", ToolStatus.TimedOut => "timed_out", _ => "failed" });
        json.WriteNumber("duration_ms", (long)tool.Duration.TotalMilliseconds);
        json.WriteEndObject();
    }

    private void WriteUsage(Utf8JsonWriter json)
    {
        json.WriteNumber("prompt_tokens", Usage.Input);
        json.WriteNumber("completion_tokens", Usage.Output);
        json.WriteNumber("total_tokens", Usage.Input + Usage.Output);
    }

    private static byte[] WriteObject(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer, _relaxed);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
