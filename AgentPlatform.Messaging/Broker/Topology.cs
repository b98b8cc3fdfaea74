using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Broker;

/// <summary>The exchanges and queues of the platform, declared alike by whoever comes first. Works on RabbitMQ 3.10 to 4.x.</summary>
public static class Topology
{
    /// <summary>Direct exchange for jobs; the routing key is the queue's name.</summary>
    public const string JobExchange = "infer";

    /// <summary>Quorum queue of jobs that could not be done.</summary>
    public const string DeadQueue = "infer.dead";

    /// <summary>Topic exchange for what concerns every worker, such as a cancelled request.</summary>
    public const string ControlExchange = "infer.control";

    /// <summary>The queue of one model at one version.</summary>
    public static string JobQueue(string model, string version) => $"infer.{model}.{version}{DefaultLane}";

    /// <summary>The lane beside a job queue for requests that a worker was lost over: they have waited before and do not wait behind the others again.</summary>
    public static string ResumeQueue(string jobQueue) => $"{jobQueue[..^DefaultLane.Length]}.resume";

    /// <summary>The queue to which workers send the answers of one gateway instance.</summary>
    public static string ReplyQueue(string gateway) => $"infer.reply.{gateway}";

    private const string DefaultLane = ".default";

    // The gateway counts how often a job was lost, and to what end; the broker only stops one that no gateway looks after.
    private const int MostDeliveries = 20;

    /// <summary>Declares a job queue, the lane beside it and what both need.</summary>
    internal static async Task DeclareJobQueueAsync(IChannel channel, string queue, MessagingOptions options, CancellationToken cancellationToken)
    {
        await channel.ExchangeDeclareAsync(JobExchange, ExchangeType.Direct, durable: true, cancellationToken: cancellationToken);
        await DeclareDeadQueueAsync(channel, cancellationToken);

        foreach (var lane in (string[])[queue, ResumeQueue(queue)])
        {
            // At-least-once dead-lettering works only with reject-publish, which is also what turns a full queue into the client's 429.
            await channel.QueueDeclareAsync(lane, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
            {
                ["x-queue-type"] = "quorum",
                ["x-delivery-limit"] = MostDeliveries,
                ["x-max-length"] = options.MaxQueueLength,
                ["x-overflow"] = "reject-publish",
                ["x-dead-letter-exchange"] = "",
                ["x-dead-letter-routing-key"] = DeadQueue,
                ["x-dead-letter-strategy"] = "at-least-once",
            }, cancellationToken: cancellationToken);
            await channel.QueueBindAsync(lane, JobExchange, lane, cancellationToken: cancellationToken);
        }
    }

    internal static Task DeclareDeadQueueAsync(IChannel channel, CancellationToken cancellationToken) =>
        channel.QueueDeclareAsync(DeadQueue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum",

            // Whoever looks at a dead job is a delivery. Without this RabbitMQ drops it after 20 of them since 4.0; not all know -1, no limit.
            ["x-delivery-limit"] = 1_000_000_000,
        }, cancellationToken: cancellationToken);

    internal static Task DeclareReplyQueueAsync(IChannel channel, string queue, MessagingOptions options, CancellationToken cancellationToken) =>
        channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-queue-type"] = "classic",
            ["x-expires"] = (long)options.ReplyQueueExpiry.TotalMilliseconds,
        }, cancellationToken: cancellationToken);

    internal static Task DeclareControlExchangeAsync(IChannel channel, CancellationToken cancellationToken) =>
        channel.ExchangeDeclareAsync(ControlExchange, ExchangeType.Topic, durable: true, cancellationToken: cancellationToken);
}
