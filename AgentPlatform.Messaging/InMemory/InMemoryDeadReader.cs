using System.Runtime.CompilerServices;
using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Messaging.InMemory;

/// <summary>A look at the dead jobs of an <see cref="InMemoryBroker"/>.</summary>
internal sealed class InMemoryDeadReader(InMemoryQueue dead, Action endTurn) : IDeadReader
{
    private readonly SortedDictionary<ulong, InMemoryMessage> _held = [];
    private Action? _endTurn = endTurn;
    private ulong _lastTag;

    /// <inheritdoc/>
    public async IAsyncEnumerable<HeldMessage> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (dead.Take() is { } message)
        {
            _held.Add(++_lastTag, message);
            yield return new HeldMessage(message.Content, _lastTag);
            await Task.Yield();
        }
    }

    /// <inheritdoc/>
    public Task KeepOnlyAsync(IReadOnlyCollection<HeldMessage> kept, CancellationToken cancellationToken)
    {
        Return([.. _held.Keys.Except(kept.Select(message => message.Tag))]);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task RemoveAsync(HeldMessage message, CancellationToken cancellationToken)
    {
        _held.Remove(message.Tag);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Return([.. _held.Keys]);
        return ValueTask.CompletedTask;
    }

    private void Return(IEnumerable<ulong> tags)
    {
        foreach (var tag in tags.OrderDescending())
        {
            _held.Remove(tag, out var message);
            dead.Return(message!);
        }

        Interlocked.Exchange(ref _endTurn, null)?.Invoke();
    }
}
