using System.Text.Json;
using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Pods;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>
/// Virtual host, users and policies of the release's own broker, as definitions that the server imports at each start. New passwords in
/// the Secret and new permissions in the chart take effect with the next start, whereas the default user of RabbitMQ's settings would be
/// created only once, on an empty volume.
/// </summary>
/// <seealso href="https://www.rabbitmq.com/docs/definitions"/>
internal sealed class BrokerDefinitions(BrokerAccess access, IReadOnlyList<BrokerUser> users)
{
    /// <summary>The file that the server imports.</summary>
    public const string Path = $"{Folder}/definitions.json";

    private const string Folder = "/etc/rabbitmq/users";
    private const string Variable = "DEFINITIONS";
    private const string CookieVariable = "ERLANG_COOKIE";
    private const string VolumeName = "users";

    // Stands for the virtual host until the text is JSON.
    private const string VirtualHost = "the virtual host of values.yaml";
    private const int Mebibyte = 1024 * 1024;

    /// <summary>
    /// Adds a container that writes the definitions before the server starts, to a volume in memory, so that passwords are on no disk and
    /// in no ConfigMap.
    /// </summary>
    /// <param name="pod">The broker's pod.</param>
    /// <param name="server">The server's container.</param>
    /// <param name="data">Folder of the volume "data", which holds the Erlang cookie.</param>
    public void WriteBefore(PodSpecV1 pod, ContainerV1 server, string data)
    {
        var writer = new ContainerV1
        {
            Name = "definitions",
            Image = server.Image,
            ImagePullPolicy = server.ImagePullPolicy,
            Resources = PodShape.Resources("10m", "32Mi"),
        };
        var writeCookie = $"rm -f {data}/.erlang.cookie; printf %s \"${CookieVariable}\" > {data}/.erlang.cookie";
        var writeAll = $"umask 077; printenv {Variable} > {Path}; [ -z \"${CookieVariable}\" ] || {{ {writeCookie}; }}";
        writer.Command.AddRange(["sh", "-c", writeAll]);
        var cookie = access.FromSecret(BrokerCluster.CookieKey);
        cookie.SecretKeyRef!.Optional = true;
        writer.Env.Add(new() { Name = CookieVariable, ValueFrom = cookie });
        writer.VolumeMounts.Add(new() { Name = "data", MountPath = data });
        writer.Env.AddRange(users.Select(user => new EnvVarV1
        {
            Name = PasswordVariable(user),
            ValueFrom = access.FromSecret(user.PasswordKey),
        }));

        // Kubernetes replaces $(NAME) by the variables above.
        writer.Env.Add(new() { Name = Variable, Value = Text() });
        PodShape.Restrict(writer);
        writer.VolumeMounts.Add(new() { Name = VolumeName, MountPath = Folder });
        server.VolumeMounts.Add(new() { Name = VolumeName, MountPath = Folder, ReadOnly = true });
        pod.Volumes.Add(new() { Name = VolumeName, EmptyDir = new() { Medium = "Memory", SizeLimit = "1Mi" } });
        pod.InitContainers.Add(writer);
    }

    private string Text() => JsonSerializer.Serialize(new
    {
        users = users.Select(user => new { name = user.Name, password = $"$({PasswordVariable(user)})", tags = user.Tags }),
        vhosts = (object[])[new { name = VirtualHost }],
        policies = (object[])
        [
            Policy("jobs", $"^{QueueNames.AllJobsPattern}$", JobBounds),
            Policy("dead", $"^{Regex.Escape(QueueNames.Dead)}$", DeadBounds),
        ],
        permissions = users.Select(user =>
            new { user = user.Name, vhost = VirtualHost, configure = user.Configure, write = user.Write, read = user.Read }),
        topic_permissions = users.Select(user =>
            new { user = user.Name, vhost = VirtualHost, exchange = QueueNames.Control, write = user.TopicWrite, read = user.TopicRead }),
    }).Replace(VirtualHost, HelmFunctions.InJson(access.VirtualHost), StringComparison.Ordinal);

    // The bounds are the defaults of Messaging:MaxQueueBytes and similar settings. Queues have them as arguments too, except those that an
    // earlier build declared; of an argument and a policy, the lower bound applies. Dead-lettering is set by the policy only: a client that
    // declares a queue with a dead-letter exchange needs permission to read the queue, which gateways do not have.
    private static Dictionary<string, object> JobBounds { get; } = new()
    {
        ["max-length-bytes"] = 256 * Mebibyte,
        ["overflow"] = "reject-publish",
        ["dead-letter-exchange"] = QueueNames.Death,
        ["dead-letter-routing-key"] = QueueNames.Dead,
        ["dead-letter-strategy"] = "at-least-once",
    };

    private static Dictionary<string, object> DeadBounds { get; } = new()
    {
        ["max-length"] = 10_000,
        ["max-length-bytes"] = 256 * Mebibyte,
        ["message-ttl"] = (long)TimeSpan.FromDays(30).TotalMilliseconds,
        ["overflow"] = "drop-head",
    };

    private static Dictionary<string, object> Policy(string name, string pattern, Dictionary<string, object> bounds) => new()
    {
        ["vhost"] = VirtualHost,
        ["name"] = $"agentplatform-{name}",
        ["pattern"] = pattern,
        ["apply-to"] = "queues",
        ["priority"] = 0,
        ["definition"] = bounds,
    };

    private static string PasswordVariable(BrokerUser user) => $"{user.Name.ToUpperInvariant().Replace('-', '_')}_PASSWORD";
}
