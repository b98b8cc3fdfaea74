using System.Collections.Concurrent;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Messaging.Answering;

/// <summary>What a worker is to do with a job that somebody may have begun.</summary>
/// <param name="Attempt">The number of its run.</param>
/// <param name="PartialAnswer">What there is of the answer; null if nothing.</param>
/// <param name="Alone">Whether it must share its engine with nobody until its first new part.</param>
/// <param name="TimeLimit">How long the request may still take.</param>
public sealed record Grant(ushort Attempt, PartialAnswer? PartialAnswer, bool Alone, TimeLimit TimeLimit);

/// <summary>A worker's questions to gateways: whether to work on a job that was delivered before, and from where.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class TakeoverQuestions
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    // A gateway that is gone is noticed sooner (ReplyQueues). One that is there and says nothing may be deaf to this worker, or this worker
    // to it.
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<GrantMessage>> _asked = new();
    private readonly TimeProvider _time;

    public TakeoverQuestions(TimeProvider time) => _time = time;

    /// <summary>This worker's name, unique among those that run: two on one machine must be told apart.</summary>
    public string Worker { get; init; } = $"{Environment.MachineName}.{Environment.ProcessId}";

    /// <summary>
    /// Asks the job's gateway; null if the job is of no use any more and is to be acknowledged: the gateway says so, or the job's time is
    /// over.
    /// </summary>
    /// <exception cref="TimeoutException">The gateway is there and does not answer. Another worker may fare better.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the answer came.</exception>
    public async Task<Grant?> AskAsync(Delivery delivery, FrameWriter writer, CancellationToken cancellationToken)
    {
        var claim = Guid.NewGuid();
        var answered = new TaskCompletionSource<GrantMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[claim] = answered;
        var limit = new TimeLimit(_limit, _time);
        try
        {
            var question = new ClaimNote(Worker, claim, delivery.Issue).ToUtf8();
            while (!answered.Task.IsCompleted)
            {
                if (delivery.Request.TimeLimit.HasPassed)
                {
                    return null;
                }

                if (limit.HasPassed)
                {
                    throw new TimeoutException("The gateway does not say whether to work on a request.");
                }

                // Question and answer travel without guarantee: whichever is lost is asked for again.
                writer.Ask(question);
                var left = delivery.Request.TimeLimit.Left;
                await ((Task)answered.Task).WaitAsync(left < _patience ? left : _patience, _time, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
            }

            return Read(await answered.Task, delivery.Request.TimeLimit);
        }
        finally
        {
            _asked.TryRemove(claim, out _);
        }
    }

    private Grant? Read(GrantMessage grant, TimeLimit known)
    {
        if (grant.Attempt is not { } attempt)
        {
            return null;
        }

        // The message may have been on its way for long, and its time was counted from its arrival here.
        var limit = grant.TimeLeft is { } left
            ? new TimeLimit(TimeSpan.FromMilliseconds(Math.Clamp(left, 0, JobHeaders.MostTimeLeft.TotalMilliseconds)), _time)
            : known;
        return new Grant(attempt, grant.Parts > 0 ? new PartialAnswer(grant.Parts, grant.ResumeState) : null, grant.Alone, limit);
    }

    internal void Answer(GrantMessage grant)
    {
        if (_asked.TryGetValue(grant.Claim, out var asked))
        {
            asked.TrySetResult(grant);
        }
    }
}
