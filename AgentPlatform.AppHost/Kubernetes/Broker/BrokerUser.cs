using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Broker;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>
/// A user of the broker with the least permissions that its work needs, as regular expressions for the names of queues and exchanges. Pools
/// add their users to the broker's resource as annotations.
/// </summary>
/// <param name="Name">Name of the user.</param>
/// <param name="Configure">The queues and exchanges that it may declare.</param>
/// <param name="Write">The exchanges that it may publish to, and the queues that it may bind.</param>
/// <param name="Read">The queues that it may consume, and the exchanges that it may bind a queue to.</param>
/// <param name="TopicWrite">The routing keys with which it may publish to <see cref="QueueNames.Control"/>.</param>
/// <param name="TopicRead">The routing keys with which it may bind a queue to <see cref="QueueNames.Control"/>.</param>
/// <param name="Tags">Its tags, which grant access to the management API.</param>
/// <seealso href="https://www.rabbitmq.com/docs/access-control"/>
internal sealed record BrokerUser(
    string Name, string Configure, string Write, string Read,
    string TopicWrite = BrokerUser.Nothing, string TopicRead = BrokerUser.Nothing, string Tags = "")
    : IResourceAnnotation
{
    private const string Nothing = "^$";

    // Exchanges and dead-letter queues are declared by the first gateway or worker that connects.
    private const string Common = @"infer|infer\.(control|death|expired|dead)";
    private const string Replies = @"infer\.reply\..+";
    private const string OfTheServer = @"amq\.gen.*";

    /// <summary>The gateways' user: publishes jobs, consumes reply queues, and reads dead-lettered jobs, but no others.</summary>
    public static BrokerUser Gateway { get; } = new(
        "gateway",
        $"^({Common}|{QueueNames.AllJobsPattern}|{Replies})$",
        $@"^({Common}|{QueueNames.AllJobsPattern}|{Replies}|amq\.default)$",
        $@"^(infer|infer\.(death|dead)|{Replies})$",
        TopicWrite: @"^(cancel|resume\..+)$");

    /// <summary>KEDA's user: sees queues in the management API and cannot use them.</summary>
    public static BrokerUser Scaler { get; } = new("scaler", Nothing, Nothing, Nothing, Tags: "monitoring");

    /// <summary>Key of the password in the Secret of users.</summary>
    public string PasswordKey => $"{Name}-password";

    /// <summary>
    /// Creates the user of a pool's workers: consumes the jobs of the pool's model, publishes to reply queues, and receives control
    /// messages for all workers and for those of the pool. Workers whose engine asks other models may do what gateways may as well.
    /// </summary>
    /// <param name="pool">Name of the pool.</param>
    /// <param name="model">Name of the pool's model.</param>
    /// <param name="engine">The pool's engine.</param>
    public static BrokerUser Worker(string pool, string model, EngineFacts engine)
    {
        // All versions, since a new version must not change the definitions, which the broker imports only when it starts.
        var own = QueueNames.JobsPattern(Regex.Escape(model), ".+");
        var worker = new BrokerUser(
            $"worker-{pool}",
            $"^({Common}|{own}|{OfTheServer})$",

            // Answers are published to reply queues through the default exchange.
            $@"^(infer\.(death|expired|dead)|{own}|{OfTheServer}|amq\.default)$",
            $@"^(infer|infer\.(control|death)|{own}|{OfTheServer})$",
            TopicRead: $@"^(cancel|resume\.{Regex.Escape(pool)}-deployment-.+)$");
        return engine.AsksModels
            ? worker with
            {
                Configure = Either(worker.Configure, Gateway.Configure),
                Write = Either(worker.Write, Gateway.Write),
                Read = Either(worker.Read, $"^(infer|{Replies})$"),
                TopicWrite = Gateway.TopicWrite,
            }
            : worker;
    }

    private static string Either(string first, string second) => $"{first}|{second}";
}
