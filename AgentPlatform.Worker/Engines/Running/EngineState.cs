namespace AgentPlatform.Worker.Engines.Running;

/// <summary>Whether the engine is loaded and warmed. It becomes so once, and stays so.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class EngineState
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the engine takes requests.</summary>
    public bool IsReady => _ready.Task.IsCompletedSuccessfully;

    /// <summary>Ends when it takes requests; never, if it cannot be loaded.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Marks the engine as ready for requests.</summary>
    public void BecomeReady() => _ready.TrySetResult();
}
