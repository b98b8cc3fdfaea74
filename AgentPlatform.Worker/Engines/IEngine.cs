using AgentPlatform.Inference;
using AgentPlatform.Worker.Weights;

namespace AgentPlatform.Worker.Engines;

/// <summary>
/// What an engine can do; known before it is loaded, but for what only the model's files say of it (<see cref="Caveat"/>).
/// </summary>
/// <param name="Operations">What its model can be asked.</param>
/// <param name="Slots">How many requests it runs at once unless configured otherwise.</param>
internal sealed record EngineTraits(IReadOnlyList<Operation> Operations, int Slots)
{
    /// <summary>
    /// Whether the same request always gives the same parts, so that a second attempt can stand in for one that broke off.
    /// </summary>
    public bool Replayable { get; init; }

    /// <summary>Whether the engine can continue an answer that another worker began.</summary>
    public bool Continues { get; init; }

    /// <summary>What a user should know before relying on its answers; null if nothing.</summary>
    public string? Caveat { get; init; }
}

/// <summary>
/// A runtime that computes one model's answers. The process has one engine. It is loaded once and warmed before the first request;
/// it checks nothing that its caller checks (operation, deadline, slots).
/// </summary>
/// <remarks>Implementations are safe for concurrent use, do not block the caller's thread, and may be disposable.</remarks>
internal interface IEngine : IInference
{
    /// <summary>Capabilities of the engine.</summary>
    EngineTraits Traits { get; }

    /// <summary>Reads the model, or waits for the server that has it.</summary>
    /// <exception cref="EngineLoadException">It will never work as it is configured.</exception>
    /// <exception cref="WeightsException">The files of the model are not available.</exception>
    Task LoadAsync(CancellationToken cancellationToken);

    /// <summary>Computes something, so that the first request takes no longer than those after it.</summary>
    /// <exception cref="EngineLoadException">The model was read but does not work.</exception>
    Task WarmUpAsync(CancellationToken cancellationToken);
}

/// <summary>An engine cannot be loaded. The message is one sentence that says what to do.</summary>
internal sealed class EngineLoadException(string message, Exception? innerException = null) : Exception(message, innerException);
