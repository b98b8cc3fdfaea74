namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>What the chart must know of an engine.</summary>
/// <param name="Operations">What its models can be asked.</param>
internal sealed record EngineFacts(params ModelOperation[] Operations)
{
    /// <summary>Whether it reads a model's files from a folder or an address.</summary>
    public bool ReadsWeights { get; init; }

    /// <summary>Whether it computes where <see cref="PoolOptions.ExecutionProvider"/> says.</summary>
    public bool TakesExecutionProvider { get; init; }

    /// <summary>Whether it asks servers outside of the worker.</summary>
    public bool CallsOut { get; init; }

    /// <summary>Whether it asks other models of the platform over the broker, as a gateway does.</summary>
    public bool AsksModels { get; init; }
}
