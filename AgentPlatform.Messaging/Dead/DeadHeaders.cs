namespace AgentPlatform.Messaging.Dead;

/// <summary>What a message in <see cref="Broker.Topology.DeadQueue"/> carries beside what it carried as a job (<see cref="Jobs.JobHeaders"/>).</summary>
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
    public const string Story = "x-story";

    /// <summary>
    /// Set by the broker on a message that it dead-lettered itself: a list of tables with <c>reason</c> (<c>delivery_limit</c>, <c>rejected</c>,
    /// <c>expired</c>), <c>queue</c> and <c>time</c>, the latest first.
    /// </summary>
    public const string Deaths = "x-death";
}
