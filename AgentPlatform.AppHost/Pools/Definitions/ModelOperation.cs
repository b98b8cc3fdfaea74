namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>An operation that a model supports; the gateway's setting <c>Models:N:Operations</c>.</summary>
internal enum ModelOperation
{
    /// <summary>Continues a conversation, token by token.</summary>
    Chat,

    /// <summary>Classifies a text by its sentiment.</summary>
    Analyze,
}
