namespace AgentPlatform.Messaging.Asking;

/// <summary>What is to be done about a request that waits for its answer.</summary>
internal enum RequestNeed
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Nobody works on it: issue it again.</summary>
    Reissue,

    /// <summary>It breaks the workers that try it: give it up.</summary>
    DeadLetter,
}
