namespace AgentPlatform.AppHost.Broker;

/// <summary>
/// The names of queues and exchanges for the topology and the chart. This project cannot reference Messaging, which defines them too; a
/// test compares both.
/// </summary>
internal static class QueueNames
{
    /// <summary>The topic exchange for control messages from gateways to workers.</summary>
    public const string Control = "infer.control";

    /// <summary>The dead-letter exchange.</summary>
    public const string Death = "infer.death";

    /// <summary>The queue of dead-lettered jobs.</summary>
    public const string Dead = "infer.dead";

    /// <summary>Regular expression for the job queues of all pools in both lanes, without anchors.</summary>
    public static string AllJobsPattern { get; } = LanesPattern(".+");

    /// <summary>The job queue of a model at a version.</summary>
    public static string Job(string model, string version) => $"infer.{model}.{version}.default";

    /// <summary>Regular expression for the job queues of a model at a version in both lanes, without anchors.</summary>
    /// <param name="model">Regular expression for the name of the model.</param>
    /// <param name="version">Regular expression for the version.</param>
    public static string JobsPattern(string model, string version) => LanesPattern($@"{model}\.{version}");

    private static string LanesPattern(string pool) => $@"infer\.{pool}\.(default|resume)";
}
