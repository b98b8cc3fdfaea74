namespace AgentPlatform.Messaging.Wire;

/// <summary>
/// What a message in <see cref="Broker.QueueNames.Dead"/> carries beside what it carried as a job (<see cref="JobHeaders"/>).
/// </summary>
internal static class DeadHeaders
{
    /// <summary>The queue that the job was in.</summary>
    public const string Queue = "x-queue";

    /// <summary>Why it is dead, in one word such as <c>poison</c>.</summary>
    public const string Reason = "x-reason";

    /// <summary>The same in a sentence, where one word does not say it.</summary>
    public const string Detail = "x-detail";

    /// <summary>When it was given up: Unix time in milliseconds.</summary>
    public const string DiedAt = "x-died-at";

    /// <summary>What its gateway saw of it: a JSON array of <see cref="DeadAttempt"/>.</summary>
    public const string Attempts = "x-story";
}
