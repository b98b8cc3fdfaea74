namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>What clients ask of a model; the gateway's setting <c>Models:N:Operations</c>.</summary>
internal enum ModelOperation
{
    /// <summary>A chat, answered token by token.</summary>
    Chat,

    /// <summary>A text, answered by its sentiment.</summary>
    Analyze,
}
