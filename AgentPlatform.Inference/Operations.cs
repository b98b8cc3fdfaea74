namespace AgentPlatform.Inference;

/// <summary>What a request asks of a model. The names are on the wire and in configuration.</summary>
public enum Operation
{
    /// <summary>An OpenAI chat-completions request; answered as a chat completion, streamed or whole.</summary>
    Chat = 1,

    /// <summary>A text to be judged; answered with a sentiment and a confidence.</summary>
    Analyze = 2,
}

/// <summary>What is to be known of an <see cref="Operation"/>, once for all who carry it.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="Name">In telemetry, in <c>/v1/models</c> and in paths.</param>
/// <param name="Noun">What a model that can be asked for it does, as a sentence has it.</param>
/// <param name="AgentRoute">Where an agent container answers it.</param>
/// <param name="OpenAIPath">Where an OpenAI-compatible server answers it, below its base address; null if it does not.</param>
/// <param name="HasEnvelope">Whether its result is an OpenAI object whose <c>id</c>, <c>object</c>, <c>created</c> and <c>model</c> the
/// HTTP surface writes.</param>
/// <param name="CountsTokens">Whether it is metered by the tokens of its <c>usage</c>; otherwise by requests alone.</param>
public sealed record OperationInfo(
    Operation Operation, string Name, string Noun, string AgentRoute, string? OpenAIPath, bool HasEnvelope, bool CountsTokens);

/// <summary>The table of operations. A new one is a row here.</summary>
public static class Operations
{
    private static readonly OperationInfo _chat = new(
        Operation.Chat, "chat", "chat", AgentRoute: "invoke", OpenAIPath: "chat/completions", HasEnvelope: true, CountsTokens: true);

    private static readonly OperationInfo _analyze = new(
        Operation.Analyze, "analyze", "analysis", AgentRoute: "analyze", OpenAIPath: null, HasEnvelope: false, CountsTokens: false);

    /// <summary>All operations.</summary>
    public static IReadOnlyList<OperationInfo> All { get; } = [_chat, _analyze];

    /// <summary>The row of an operation.</summary>
    public static OperationInfo Info(this Operation operation) => operation switch
    {
        Operation.Chat => _chat,
        Operation.Analyze => _analyze,
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, null),
    };
}
