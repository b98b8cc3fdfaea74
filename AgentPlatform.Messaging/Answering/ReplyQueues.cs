using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Answering;

/// <summary>
/// Which gateways are gone, as their reply queues show it: a queue outlives its gateway by minutes and takes all that is sent there, so
/// that only the number of its consumers tells. A gateway may lose its connection and come back; it is gone when it has not been there for
/// <see cref="AnsweringOptions.GatewayTimeout"/>.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class ReplyQueues
{
    private readonly Dictionary<string, long> _absentSince = new(StringComparer.Ordinal);
    private readonly TimeSpan _timeout;
    private readonly TimeSpan _expiry;
    private readonly TimeProvider _time;
    private readonly IQueueInspector _queues;

    public ReplyQueues(IQueueInspector queues, IOptions<AnsweringOptions> options, IOptions<BrokerOptions> broker, TimeProvider time) =>
        (_queues, _timeout, _expiry, _time) = (queues, options.Value.GatewayTimeout, broker.Value.ReplyQueueExpiry, time);

    /// <summary>The queues whose gateways were not there at the last look.</summary>
    internal IReadOnlyCollection<string> Absent
    {
        get
        {
            lock (_absentSince)
            {
                return [.. _absentSince.Keys];
            }
        }
    }

    /// <summary>
    /// Whether the queue's gateway is gone. Costs nothing while it was there at the last look; otherwise the broker is asked again.
    /// </summary>
    public ValueTask<bool> IsGoneAsync(string queue)
    {
        lock (_absentSince)
        {
            if (!_absentSince.TryGetValue(queue, out var since) || _time.GetElapsedTime(since) < _timeout)
            {
                return ValueTask.FromResult(false);
            }
        }

        return new ValueTask<bool>(LookAsync(queue, CancellationToken.None));
    }

    /// <summary>Asks the broker whether the queue's gateway is there.</summary>
    /// <returns>Whether it is gone: it is not there and has not been for long enough.</returns>
    internal async Task<bool> LookAsync(string queue, CancellationToken cancellationToken)
    {
        var state = await _queues.LookAsync(queue, cancellationToken);
        lock (_absentSince)
        {
            if (state is not { Consumers: 0 })
            {
                // Nothing is known while this worker's own connection is away: others may have lost theirs with it and come back later.
                _absentSince.Remove(queue);
                return false;
            }

            if (!_absentSince.TryGetValue(queue, out var since))
            {
                _absentSince.Add(queue, since = _time.GetTimestamp());
            }

            var absent = _time.GetElapsedTime(since);
            if (absent >= _expiry)
            {
                // Each look is a use to the broker, which removes the queue when it is not used any more.
                _absentSince.Remove(queue);
            }

            return absent >= _timeout;
        }
    }
}
