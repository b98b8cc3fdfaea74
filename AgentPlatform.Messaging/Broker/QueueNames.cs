namespace AgentPlatform.Messaging.Broker;

/// <summary>The names of queues, which gateways, workers, operators and autoscalers have to agree on.</summary>
public static class QueueNames
{
    /// <summary>Jobs that could not be done.</summary>
    public const string Dead = "infer.dead";

    /// <summary>What gateways tell all workers.</summary>
    public const string Control = "infer.control";

    /// <summary>The reply queues of all gateways together, as metrics name them.</summary>
    public const string Replies = "infer.reply";

    private const string DefaultLane = ".default";

    /// <summary>The queue of one model at one version.</summary>
    public static string Job(string model, string version) => $"infer.{model}.{version}{DefaultLane}";

    /// <summary>
    /// The lane beside a job queue for requests that a worker was lost over: they have waited before and do not wait behind the others
    /// again.
    /// </summary>
    public static string Resume(string jobQueue) => $"{jobQueue[..^DefaultLane.Length]}.resume";

    /// <summary>The queue to which workers send the answers of one gateway instance.</summary>
    public static string Reply(string gateway) => $"{Replies}.{gateway}";
}
