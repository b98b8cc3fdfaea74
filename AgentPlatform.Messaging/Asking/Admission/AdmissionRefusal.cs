namespace AgentPlatform.Messaging.Asking.Admission;

/// <summary>Why a request got no place in a queue.</summary>
public enum AdmissionRefusal
{
    /// <summary>It got one.</summary>
    None,

    /// <summary>Its turn would come too late.</summary>
    Deadline,

    /// <summary>More wait than a pool of which nothing is known can be expected to begin in time.</summary>
    UnknownPace,

    /// <summary>What waits is too large.</summary>
    Bytes,

    /// <summary>The broker takes no more for the queue.</summary>
    Full,
}
