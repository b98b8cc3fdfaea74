namespace AgentPlatform.AppHost.Broker;

/// <summary>
/// The names of queues and exchanges as the topology and the chart use them. Messaging has the same ones; this project does not reference it, so
/// a test compares both.
/// </summary>
internal static class QueueNames
{
    /// <summary>The topic exchange by which gateways reach all workers, or one.</summary>
    public const string Control = "infer.control";

    /// <summary>The exchange for the jobs that a queue gives up.</summary>
    public const string Death = "infer.death";

    /// <summary>The queue of dead-lettered jobs.</summary>
    public const string Dead = "infer.dead";

    /// <summary>Regular expression of the queues of all pools, both lanes, without anchors.</summary>
    public static string AllJobsPattern { get; } = LanesPattern(".+");

    /// <summary>The queue of a model at a version.</summary>
    public static string Job(string model, string version) => $"infer.{model}.{version}.default";

    /// <summary>Regular expression of both lanes of the queue of a model at a version, without anchors.</summary>
    /// <param name="model">Regular expression of the model's name.</param>
    /// <param name="version">Regular expression of the version.</param>
    public static string JobsPattern(string model, string version) => LanesPattern($@"{model}\.{version}");

    private static string LanesPattern(string pool) => $@"infer\.{pool}\.(default|resume)";
}
