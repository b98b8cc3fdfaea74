using AgentPlatform.Messaging.Broker;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>What a queue is that was to be declared.</summary>
internal enum QueueFit
{
    /// <summary>As it was declared.</summary>
    AsDeclared,

    /// <summary>It existed, with other bounds.</summary>
    OtherBounds,

    /// <summary>It existed as an earlier build declared it: what expires in it goes to <see cref="QueueNames.Dead"/>.</summary>
    Older,
}

/// <summary>The exchanges and queues of the platform, declared alike by whoever comes first. Works on RabbitMQ 3.10 to 4.x.</summary>
internal static class Topology
{
    /// <summary>Direct exchange for jobs; the routing key is the queue's name.</summary>
    public const string JobExchange = "infer";

    /// <summary>
    /// Headers exchange for jobs that the broker gives up: by its reason to <see cref="QueueNames.Dead"/> or to <see cref="ExpiredQueue"/>.
    /// </summary>
    public const string DeathExchange = "infer.death";

    /// <summary>Classic queue that keeps nothing: where jobs go whose deadline passed while they waited, which nobody needs.</summary>
    public const string ExpiredQueue = "infer.expired";

    /// <summary>Topic exchange for what concerns every worker, such as a cancelled request.</summary>
    public const string ControlExchange = QueueNames.Control;

    // The gateway counts how often a job was lost, and to what end; the broker only stops one that no gateway looks after.
    private const int MostDeliveries = 20;

    private const string DeadLetterExchange = "x-dead-letter-exchange";
    private const string MaxBytes = "x-max-length-bytes";
    private const string MessageTtl = "x-message-ttl";

    private static readonly Dictionary<string, object?> _deadLetters = new()
    {
        [DeadLetterExchange] = DeathExchange,
        ["x-dead-letter-routing-key"] = QueueNames.Dead,
        ["x-dead-letter-strategy"] = "at-least-once",
    };

    private static readonly HashSet<string> _bounds = ["x-max-length", MaxBytes, MessageTtl, "x-overflow"];

    /// <summary>Arguments of a job queue and of the lane beside it.</summary>
    public static Dictionary<string, object?> JobArguments(QueueOptions options) =>
        new(options.DeadLettersByPolicy ? [] : _deadLetters)
    {
        // At-least-once dead-lettering works only with reject-publish, which is also what turns a full queue into the client's 429.
        ["x-queue-type"] = "quorum",
        ["x-delivery-limit"] = MostDeliveries,
        ["x-max-length"] = options.MaxQueueLength,
        [MaxBytes] = options.MaxQueueBytes,
        ["x-overflow"] = "reject-publish",
    };

    /// <summary>Declares what job queues need: the exchange that fills them, and where what they give up goes.</summary>
    public static async Task DeclareJobExchangesAsync(IConnection connection, IChannel channel, CancellationToken cancellationToken)
    {
        await channel.ExchangeDeclareAsync(JobExchange, ExchangeType.Direct, durable: true, cancellationToken: cancellationToken);
        await channel.ExchangeDeclareAsync(DeathExchange, ExchangeType.Headers, durable: true, cancellationToken: cancellationToken);

        foreach (var reason in (string[])["rejected", "delivery_limit", "maxlen"])
        {
            await BindAsync(channel, QueueNames.Dead, reason);
        }

        await using var other = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            // A classic queue with this argument keeps only what a consumer takes at once, and it has none. Without a queue the broker
            // would hold what it cannot route.
            await other.QueueDeclareAsync(
                ExpiredQueue, durable: true, exclusive: false, autoDelete: false,
                new Dictionary<string, object?> { ["x-queue-type"] = "classic", [MessageTtl] = 0 }, cancellationToken: cancellationToken);
            await BindAsync(other, ExpiredQueue, "expired");
        }
        catch (OperationInterruptedException e) when (IsAtLostNode(e))
        {
            // It is there, and comes back with its node; until then what expires waits.
        }

        Task BindAsync(IChannel on, string queue, string reason) =>
            on.QueueBindAsync(queue, DeathExchange, "", new Dictionary<string, object?>
        {
            // Headers that begin with x- count only then; RabbitMQ knows it since 3.10.
            ["x-match"] = "all-with-x",
            ["x-first-death-reason"] = reason,
        }, cancellationToken: cancellationToken);
    }

    /// <summary>Declares <see cref="QueueNames.Dead"/>.</summary>
    public static Task<QueueFit> DeclareDeadQueueAsync(IConnection connection, QueueOptions options, CancellationToken cancellationToken) =>
        DeclareBoundedAsync(connection, QueueNames.Dead, new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum",

            // Whoever looks at a dead job is a delivery. Without this RabbitMQ drops it after 20 of them since 4.0; not all know -1, no
            // limit.
            ["x-delivery-limit"] = 1_000_000_000,
            ["x-max-length"] = options.MaxDeadJobs,
            [MaxBytes] = options.MaxDeadBytes,
            [MessageTtl] = (long)options.DeadRetention.TotalMilliseconds,

            // Not reject-publish: job queues would hold what this one refuses.
            ["x-overflow"] = "drop-head",
        }, cancellationToken);

    /// <summary>
    /// Declares a queue, on a channel of its own. One that exists with other bounds stays as it is, since the broker changes no queue.
    /// </summary>
    public static async Task<QueueFit> DeclareBoundedAsync(
        IConnection connection, string queue, Dictionary<string, object?> arguments, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments,
                cancellationToken: cancellationToken);
            return QueueFit.AsDeclared;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason is { ReplyCode: Constants.PreconditionFailed } refusal)
        {
            // "PRECONDITION_FAILED - inequivalent arg 'x-max-length-bytes' for queue 'infer.m.1.default' in vhost '/': received ... but
            // current is ..." The first difference is named, in the broker's order, in which the dead-letter exchange comes before the
            // bounds.
            var argument = refusal.ReplyText.Split('\'') is [_, var name, ..] ? name : "";
            if (argument == DeadLetterExchange)
            {
                // With a policy instead of the argument it is the same queue: "... received none but current is the value 'infer.death' of
                // type 'longstr'".
                var isTheSame = !arguments.ContainsKey(DeadLetterExchange)
                    && refusal.ReplyText.Contains($"'{DeathExchange}'", StringComparison.Ordinal);
                return isTheSame ? QueueFit.AsDeclared : QueueFit.Older;
            }

            if (_bounds.Contains(argument))
            {
                return QueueFit.OtherBounds;
            }

            throw;
        }
    }

    public static Task DeclareReplyQueueAsync(IChannel channel, string queue, BrokerOptions options, CancellationToken cancellationToken) =>
        channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-queue-type"] = "classic",
            ["x-expires"] = (long)options.ReplyQueueExpiry.TotalMilliseconds,
        }, cancellationToken: cancellationToken);

    /// <summary>Whether a queue cannot be used since the only node of a cluster that has it is down.</summary>
    public static bool IsAtLostNode(OperationInterruptedException e) => e.ShutdownReason?.ReplyCode == Constants.NotFound;

    public static Task DeclareControlExchangeAsync(IChannel channel, CancellationToken cancellationToken) =>
        channel.ExchangeDeclareAsync(ControlExchange, ExchangeType.Topic, durable: true, cancellationToken: cancellationToken);
}
