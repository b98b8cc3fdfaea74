using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Worker.Engines.Agent.Tools;
using AgentPlatform.Worker.Engines.Servers;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using FinishReasons = OpenAI.Chat.ChatFinishReason;
using StreamingUpdate = OpenAI.Chat.StreamingChatCompletionUpdate;
using UsageContent = Microsoft.Extensions.AI.UsageContent;

namespace AgentPlatform.Worker.Engines.Agent;

/// <summary>One answer of the model, gathered from its stream.</summary>
internal sealed class ModelTurn
{
    private readonly StringBuilder _text = new();
    private readonly List<ToolCall> _calls = [];

    /// <summary>The text of the turn.</summary>
    public string Text => _text.ToString();

    /// <summary>The tools that it asks for.</summary>
    public IReadOnlyList<ToolCall> Calls => _calls;

    /// <summary>Why it ended, in OpenAI's words; null if it did not say.</summary>
    public string? FinishReason { get; private set; }

    /// <summary>Tokens that it took.</summary>
    public TokenUsage Usage { get; private set; }

    /// <summary>Takes the next piece; its text.</summary>
    /// <exception cref="InferenceException">502: the answer does not end.</exception>
    public string Take(StreamingChatMessageContent piece)
    {
        // A call comes whole: OpenAI's adapter puts its pieces together.
        foreach (var call in piece.Items.OfType<StreamingFunctionCallUpdateContent>())
        {
            _calls.Add(new ToolCall(call.CallId ?? "", call.Name ?? "", call.Arguments));
        }

        if (piece.Metadata?.GetValueOrDefault("Usage") is UsageContent { Details: var usage })
        {
            Usage = new TokenUsage(usage.InputTokenCount ?? 0, usage.OutputTokenCount ?? 0);
        }

        FinishReason = (piece.InnerContent as StreamingUpdate)?.FinishReason switch
        {
            FinishReasons.Stop => "stop",
            FinishReasons.Length => "length",
            FinishReasons.ContentFilter => "content_filter",
            _ => FinishReason,
        };
        AnswerSize.RequireFit(_text.Length + (piece.Content?.Length ?? 0));
        _text.Append(piece.Content);
        return piece.Content ?? "";
    }

    /// <summary>The turn as a message of the conversation.</summary>
    public ChatMessageContent ToMessage()
    {
        var message = new ChatMessageContent(AuthorRole.Assistant, content: _text.Length > 0 ? Text : null);
        foreach (var call in _calls)
        {
            message.Items.Add(new FunctionCallContent(call.Function, pluginName: null, call.Id, ToolRunner.ReadArguments(call)));
        }

        return message;
    }
}
