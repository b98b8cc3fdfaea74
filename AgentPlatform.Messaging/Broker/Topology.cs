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
    public static string JobQueue(string model, string version) => $"infer.{model}.{version}.default";

    /// <summary>The queue to which workers send the answers of one gateway instance.</summary>
    public static string ReplyQueue(string gateway) => $"infer.reply.{gateway}";

    internal static async Task DeclareJobQueueAsync(IChannel channel, string queue, MessagingOptions options, CancellationToken cancellationToken)
    {
        await channel.ExchangeDeclareAsync(JobExchange, ExchangeType.Direct, durable: true, cancellationToken: cancellationToken);
        await DeclareDeadQueueAsync(channel, cancellationToken);

        // At-least-once dead-lettering works only with reject-publish, which is also what turns a full queue into the client's 429.
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum",
            ["x-delivery-limit"] = options.DeliveryLimit,
            ["x-max-length"] = options.MaxQueueLength,
            ["x-overflow"] = "reject-publish",
            ["x-dead-letter-exchange"] = "",
            ["x-dead-letter-routing-key"] = DeadQueue,
            ["x-dead-letter-strategy"] = "at-least-once",
        }, cancellationToken: cancellationToken);
        await channel.QueueBindAsync(queue, JobExchange, queue, cancellationToken: cancellationToken);
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
