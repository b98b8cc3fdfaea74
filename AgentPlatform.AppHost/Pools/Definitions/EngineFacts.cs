namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>The properties of an engine that the chart depends on.</summary>
/// <param name="Operations">The operations that its models can support.</param>
internal sealed record EngineFacts(params ModelOperation[] Operations)
{
    /// <summary>Whether it loads a model's files from a folder or an address.</summary>
    public bool ReadsWeights { get; init; }

    /// <summary>Whether it supports <see cref="PoolOptions.ExecutionProvider"/>.</summary>
    public bool TakesExecutionProvider { get; init; }

    /// <summary>Whether it calls servers outside of the worker.</summary>
    public bool CallsOut { get; init; }

    /// <summary>Whether it calls other models of the platform through the broker, as a gateway does.</summary>
    public bool AsksModels { get; init; }
}
