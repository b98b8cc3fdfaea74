using System.Collections.Concurrent;
using AgentPlatform.Messaging.Contracts;
using AgentPlatform.Messaging.Jobs;
using AgentPlatform.Messaging.Replies;

namespace AgentPlatform.Messaging.Control;

/// <summary>What a worker is to do with a job that somebody may have begun.</summary>
/// <param name="Attempt">The number of its run.</param>
/// <param name="SoFar">What there is of the answer; null if nothing.</param>
/// <param name="Alone">Whether it must share its engine with nobody until its first new part.</param>
public sealed record Grant(ushort Attempt, PartialAnswer? SoFar, bool Alone);

/// <summary>A worker's questions to gateways: whether to work on a job that was delivered before, and from where.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class Claims
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<GrantMessage>> _asked = new();
    private readonly TimeProvider _time;

    internal Claims(string worker, TimeProvider time) => (Worker, _time) = (worker, time);

    /// <summary>This worker's name, unique among those that run.</summary>
    public string Worker { get; }

    /// <summary>Asks the job's gateway; null if the job is of no use any more and is to be acknowledged.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the answer came.</exception>
    public async Task<Grant?> AskAsync(Delivery delivery, FrameWriter writer, CancellationToken cancellationToken)
    {
        var claim = Guid.NewGuid();
        var answered = new TaskCompletionSource<GrantMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[claim] = answered;
        try
        {
            var question = new ClaimNote(Worker, claim, delivery.Issue).ToUtf8();
            while (!answered.Task.IsCompleted)
            {
                // Question and answer travel without guarantee: whichever is lost is asked for again.
                writer.Ask(question);
                await ((Task)answered.Task).WaitAsync(_patience, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
            }

            var grant = await answered.Task;
            return grant.Attempt is { } attempt ? new Grant(attempt, grant.Parts > 0 ? new PartialAnswer(grant.Parts, grant.Trail) : null, grant.Alone) : null;
        }
        finally
        {
            _asked.TryRemove(claim, out _);
        }
    }

    internal void Answer(GrantMessage grant)
    {
        if (_asked.TryGetValue(grant.Claim, out var asked))
        {
            asked.TrySetResult(grant);
        }
    }
}
