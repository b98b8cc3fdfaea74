using System.Collections.Concurrent;
using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Messaging.InMemory;

/// <summary>
/// A broker inside of a process, for tests and for a gateway and a worker that share one. It keeps the promises of the ports, and nothing
/// beyond the process's life.
/// </summary>
/// <remarks>Safe for concurrent use. One object is the broker of all services that are to reach each other.</remarks>
public sealed class InMemoryBroker(
    TimeProvider time, int maxQueueLength = 10_000) : IJobSender, IReplySender, IControlSender, IQueueInspector, IDeadLetters, IDisposable
{
    private readonly ConcurrentDictionary<string, InMemoryQueue> _jobs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IReplyHandler> _replies = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<IControlHandler, byte> _control = new();
    private readonly InMemoryQueue _dead = new(time, int.MaxValue);
    private readonly SemaphoreSlim _turn = new(1);

    /// <inheritdoc/>
    public Task<PublishOutcome> SendAsync(string queue, BrokerMessage job, CancellationToken cancellationToken) => Task.FromResult(
        !_jobs.TryGetValue(queue, out var found) ? PublishOutcome.Returned
        : found.TryAdd(job) ? PublishOutcome.Confirmed
        : PublishOutcome.Refused);

    /// <inheritdoc/>
    public async Task<PublishOutcome> SendAsync(string address, ReadOnlyMemory<byte> frames)
    {
        // The sender may hold a lock, as it may with a broker that answers later.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        _replies.TryGetValue(address, out var handler);
        handler?.Receive(frames);
        return handler is null ? PublishOutcome.Returned : PublishOutcome.Confirmed;
    }

    /// <inheritdoc/>
    public void Send(string topic, ReadOnlyMemory<byte> message)
    {
        foreach (var handler in _control.Keys.Where(handler => handler.Topics.Contains(topic)))
        {
            handler.Receive(topic, message.Span);
        }
    }

    /// <inheritdoc/>
    public Task<QueueState?> LookAsync(string queue, CancellationToken cancellationToken) => Task.FromResult<QueueState?>(
        _jobs.TryGetValue(queue, out var found) ? found.State
        : _replies.ContainsKey(queue) ? new QueueState(Exists: true, Waiting: 0, Consumers: 1)
        : default);

    /// <inheritdoc/>
    public Task RestoreAsync(string jobQueue, CancellationToken cancellationToken)
    {
        _ = (this[jobQueue], this[QueueNames.Resume(jobQueue)]);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<PublishOutcome> PutAsync(BrokerMessage message) =>
        Task.FromResult(_dead.TryAdd(message) ? PublishOutcome.Confirmed : PublishOutcome.Refused);

    /// <inheritdoc/>
    public async Task<IDeadReader> OpenAsync(CancellationToken cancellationToken) =>
        await _turn.WaitAsync(TimeSpan.FromSeconds(10), cancellationToken)
            ? new InMemoryDeadReader(_dead, () => _turn.Release())
            : throw new TimeoutException("Somebody else is looking at the dead jobs; try again later.");

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    /// <summary>The job queue of that name, which is made if it is not there.</summary>
    internal InMemoryQueue this[string queue] => _jobs.GetOrAdd(queue, static (_, broker) => broker.NewQueue(), this);

    /// <summary>Whoever handles replies or control messages is reached from now on, or no longer.</summary>
    internal void Connect(IEnumerable<IReplyHandler> replies, IEnumerable<IControlHandler> control, bool isConnected)
    {
        foreach (var handler in replies)
        {
            _ = isConnected ? _replies.TryAdd(handler.Address, handler) : _replies.TryRemove(handler.Address, out _);
        }

        foreach (var handler in control)
        {
            _ = isConnected ? _control.TryAdd(handler, 0) : _control.TryRemove(handler, out _);
        }
    }

    internal void GiveUp(BrokerMessage message, string queue, string reason) =>
        _dead.TryAdd(message with { Death = new BrokerDeath(reason, queue, time.GetUtcNow()), Expiration = null });

    private InMemoryQueue NewQueue() => new(time, maxQueueLength);
}
