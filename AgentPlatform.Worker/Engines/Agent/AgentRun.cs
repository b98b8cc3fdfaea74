using System.Diagnostics;
using System.Runtime.CompilerServices;
using AgentPlatform.Inference;
using AgentPlatform.Worker.Engines.Agent.Tools;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;

namespace AgentPlatform.Worker.Engines.Agent;

/// <summary>One request of an agent: turns of the model and of its tools, until it answers or a limit is reached.</summary>
internal sealed class AgentRun(Kernel kernel, ToolRunner tools, AgentOptions options, AgentConversation conversation) : IDisposable
{
    private readonly Activity? _span = Activity.Current;
    private readonly IChatCompletionService _model = kernel.GetRequiredService<IChatCompletionService>();

    /// <summary>What has come of it.</summary>
    public AgentAnswer Answer { get; } = new();

    /// <summary>Why it ended, in OpenAI's words.</summary>
    public string FinishReason { get; private set; } = "stop";

    /// <summary>The limit that ended it: <c>rounds</c>, <c>tool_calls</c>, <c>time</c> or <c>tokens</c>; null if none did.</summary>
    public string? Limit { get; private set; }

    /// <summary>Runs the agent and yields the parts of a streamed answer, except for the last.</summary>
    /// <param name="work">Cancelled when the request is given up, and with <paramref name="limit"/>.</param>
    /// <param name="limit">Cancelled when its time is over.</param>
    /// <exception cref="InferenceException">The model failed.</exception>
    public async IAsyncEnumerable<ReplyPart> RunAsync([EnumeratorCancellation] CancellationToken work, CancellationToken limit)
    {
        for (var round = 0; ; round++)
        {
            var turn = new ModelTurn();
            await using var pieces = AskModel(mayUseTools: round < options.MaxRounds, work).GetAsyncEnumerator(work);
            while (await InTimeAsync(pieces, limit))
            {
                if (turn.Take(pieces.Current) is { Length: > 0 } text)
                {
                    yield return Answer.Text(text);
                }
            }

            Answer.EndTurn(turn.Usage);
            if (IsOver(turn, round))
            {
                break;
            }

            foreach (var call in turn.Calls)
            {
                yield return Answer.Started(call);
            }

            var outcomes = new Dictionary<ToolCall, ToolOutcome>(ReferenceEqualityComparer.Instance);
            await using var ended = RunToolsAsync(turn.Calls, work).GetAsyncEnumerator(work);
            while (await InTimeAsync(ended, limit))
            {
                outcomes[ended.Current.Call] = ended.Current;
                yield return Answer.Ended(ended.Current);
            }

            if (Limit is not null)
            {
                break;
            }

            Remember(turn, outcomes);
        }

        FinishReason = Limit is null ? FinishReason : "length";
        yield return Answer.Finish(FinishReason, Limit);
    }

    /// <inheritdoc/>
    public void Dispose() => Answer.Dispose();

    // A copy of the conversation: Semantic Kernel's adapter adds the model's calls to it, one message each, which models do not understand.
    private IAsyncEnumerable<StreamingChatMessageContent> AskModel(bool mayUseTools, CancellationToken work) =>
        _model.GetStreamingChatMessageContentsAsync(
            [.. conversation.History], new AgentSettings(conversation.Settings, mayUseTools), kernel, work);

    private async IAsyncEnumerable<ToolOutcome> RunToolsAsync(
        IReadOnlyList<ToolCall> calls, [EnumeratorCancellation] CancellationToken work)
    {
        await foreach (var ended in Task.WhenEach(calls.Select(call => tools.RunAsync(call, work))))
        {
            yield return await ended;
        }
    }

    private bool IsOver(ModelTurn turn, int round)
    {
        if (turn.Calls.Count == 0)
        {
            FinishReason = turn.FinishReason ?? FinishReason;
            return true;
        }

        Limit ??= round >= options.MaxRounds ? "rounds"
            : turn.Calls.Count > options.MaxToolCalls ? "tool_calls"
            : Answer.Usage.Input + Answer.Usage.Output >= options.MaxTokens ? "tokens"
            : null;
        return Limit is not null;
    }

    private void Remember(ModelTurn turn, Dictionary<ToolCall, ToolOutcome> outcomes)
    {
        conversation.History.Add(turn.ToMessage());
        foreach (var call in turn.Calls)
        {
            conversation.History.Add(new ChatMessageContent(
                AuthorRole.Tool, [new FunctionResultContent(call.Function, pluginName: null, call.Id, outcomes[call].Result)]));
        }
    }

    private async ValueTask<bool> InTimeAsync<T>(IAsyncEnumerator<T> next, CancellationToken limit)
    {
        // An iterator continues in the context of the caller that asks for its next part; what begins here belongs to the engine's span.
        Activity.Current = _span;
        try
        {
            return await next.MoveNextAsync();
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            Limit = "time";
            return false;
        }
        catch (InferenceException e) when (limit.IsCancellationRequested && e.Error.Kind == ErrorKind.DeadlinePassed)
        {
            // The model's request has the same time.
            Limit = "time";
            return false;
        }
    }
}
