using System.Collections.Concurrent;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Eventing;

/// <summary>Something that happens in the life of the application.</summary>
internal interface IDistributedApplicationEvent;

/// <summary>Something that happens in the life of one resource.</summary>
internal interface IDistributedApplicationResourceEvent : IDistributedApplicationEvent
{
    /// <summary>The resource.</summary>
    IResource Resource { get; }
}

/// <summary>Tells subscribers what happens. Thread-safe.</summary>
internal interface IDistributedApplicationEventing
{
    /// <summary>Calls <paramref name="callback"/> for every event of the type.</summary>
    void Subscribe<T>(Func<T, CancellationToken, Task> callback) where T : IDistributedApplicationEvent;

    /// <summary>Calls <paramref name="callback"/> for every event of the type that is about <paramref name="resource"/>.</summary>
    void Subscribe<T>(IResource resource, Func<T, CancellationToken, Task> callback) where T : IDistributedApplicationResourceEvent;
}

internal sealed class DistributedApplicationEventing : IDistributedApplicationEventing
{
    private readonly ConcurrentQueue<Func<IDistributedApplicationEvent, CancellationToken, Task>> _callbacks = new();

    public void Subscribe<T>(Func<T, CancellationToken, Task> callback) where T : IDistributedApplicationEvent =>
        _callbacks.Enqueue((happened, cancellationToken) => happened is T typed ? callback(typed, cancellationToken) : Task.CompletedTask);

    public void Subscribe<T>(IResource resource, Func<T, CancellationToken, Task> callback) where T : IDistributedApplicationResourceEvent =>
        Subscribe<T>((happened, cancellationToken) => happened.Resource == resource ? callback(happened, cancellationToken) : Task.CompletedTask);

    /// <summary>Calls the subscribers one after the other.</summary>
    public async Task PublishAsync(IDistributedApplicationEvent happened, CancellationToken cancellationToken)
    {
        foreach (var callback in _callbacks)
        {
            await callback(happened, cancellationToken);
        }
    }
}
