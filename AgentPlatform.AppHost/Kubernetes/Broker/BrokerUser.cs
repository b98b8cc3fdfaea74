using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Broker;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>
/// A user of the broker, with the rights that its work takes, as regular expressions of the names of queues and exchanges. The broker's
/// resource carries those of the pools as annotations.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Configure">What it may declare.</param>
/// <param name="Write">What it may publish to and bind.</param>
/// <param name="Read">What it may consume and bind to.</param>
/// <param name="Tells">Which keys it may publish to <see cref="QueueNames.Control"/> with.</param>
/// <param name="Hears">Which keys of it it may bind.</param>
/// <param name="Tags">What it may in the management API.</param>
/// <seealso href="https://www.rabbitmq.com/docs/access-control"/>
internal sealed record BrokerUser(
    string Name, string Configure, string Write, string Read, string Tells = BrokerUser.Nothing, string Hears = BrokerUser.Nothing, string Tags = "")
    : IResourceAnnotation
{
    private const string Nothing = "^$";

    // Whoever comes first declares what all need: exchanges, and queues for jobs that are given up.
    private const string Common = @"infer|infer\.(control|death|expired|dead)";
    private const string Replies = @"infer\.reply\..+";
    private const string OfTheServer = @"amq\.gen.*";

    /// <summary>Publishes jobs, reads the answers of its own reply queue and no job, and looks into the queue of dead ones.</summary>
    public static BrokerUser Gateway { get; } = new(
        "gateway",
        $"^({Common}|{QueueNames.AllJobsPattern}|{Replies})$",
        $@"^({Common}|{QueueNames.AllJobsPattern}|{Replies}|amq\.default)$",
        $@"^(infer|infer\.(death|dead)|{Replies})$",
        Tells: @"^(cancel|resume\..+)$");

    /// <summary>KEDA: sees queues, and does nothing with them.</summary>
    public static BrokerUser Scaler { get; } = new("scaler", Nothing, Nothing, Nothing, Tags: "monitoring");

    /// <summary>Key of its password in the Secret.</summary>
    public string PasswordKey => $"{Name}-password";

    /// <summary>
    /// Takes the jobs of one pool, answers to reply queues, and hears what concerns every worker or one of its own. An agent asks other
    /// pools as a gateway does, too.
    /// </summary>
    /// <param name="pool">Name of the pool.</param>
    /// <param name="model">Its model.</param>
    /// <param name="engine">Its engine.</param>
    public static BrokerUser Worker(string pool, string model, EngineFacts engine)
    {
        // Of all versions, so that another one does not change the broker's definitions, which it reads when it starts.
        var own = QueueNames.JobsPattern(Regex.Escape(model), ".+");
        var worker = new BrokerUser(
            $"worker-{pool}",
            $"^({Common}|{own}|{OfTheServer})$",

            // Answers go to reply queues by the default exchange.
            $@"^(infer\.(death|expired|dead)|{own}|{OfTheServer}|amq\.default)$",
            $@"^(infer|infer\.(control|death)|{own}|{OfTheServer})$",
            Hears: $@"^(cancel|resume\.{Regex.Escape(pool)}-deployment-.+)$");
        return engine.AsksModels
            ? worker with
            {
                Configure = Either(worker.Configure, Gateway.Configure),
                Write = Either(worker.Write, Gateway.Write),
                Read = Either(worker.Read, $"^(infer|{Replies})$"),
                Tells = Gateway.Tells,
            }
            : worker;
    }

    private static string Either(string first, string second) => $"{first}|{second}";
}
