using System.Text.Json;
using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Pods;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>
/// Virtual host, users and policies of the release's own broker, as definitions that the server takes over at each start: a new password in the Secret and
/// new rights in the chart hold from then on. Users of the server's settings are made once, with an empty volume, and stay as they were.
/// </summary>
/// <seealso href="https://www.rabbitmq.com/docs/definitions"/>
internal sealed class BrokerDefinitions(BrokerAccess access, IReadOnlyList<BrokerUser> users)
{
    /// <summary>Where the server finds them.</summary>
    public const string Path = $"{Folder}/definitions.json";

    private const string Folder = "/etc/rabbitmq/users";
    private const string Variable = "DEFINITIONS";
    private const string CookieVariable = "ERLANG_COOKIE";
    private const string VolumeName = "users";

    // In the place of the virtual host until the text is JSON.
    private const string VirtualHost = "the virtual host of values.yaml";
    private const int Mebibyte = 1024 * 1024;

    /// <summary>Has them written before the server starts, into memory: passwords are on no disk and in no ConfigMap.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="server">The server.</param>
    /// <param name="data">Folder of the volume "data", where nodes have the secret by which they know one another.</param>
    public void WriteBefore(PodSpecV1 pod, ContainerV1 server, string data)
    {
        var writer = new ContainerV1
        {
            Name = "definitions",
            Image = server.Image,
            ImagePullPolicy = server.ImagePullPolicy,
            Resources = PodShape.Need("10m", "32Mi"),
        };
        var writeCookie = $"rm -f {data}/.erlang.cookie; printf %s \"${CookieVariable}\" > {data}/.erlang.cookie";
        writer.Command.AddRange(["sh", "-c", $"umask 077; printenv {Variable} > {Path}; [ -z \"${CookieVariable}\" ] || {{ {writeCookie}; }}"]);
        var cookie = access.FromSecret(BrokerCluster.CookieKey);
        cookie.SecretKeyRef!.Optional = true;
        writer.Env.Add(new() { Name = CookieVariable, ValueFrom = cookie });
        writer.VolumeMounts.Add(new() { Name = "data", MountPath = data });
        writer.Env.AddRange(users.Select(user => new EnvVarV1
        {
            Name = PasswordVariable(user),
            ValueFrom = access.FromSecret(user.PasswordKey),
        }));

        // Kubernetes puts passwords in the place of $(NAME), as they come before.
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
        policies = (object[])[Policy("jobs", $"^{QueueNames.AllJobsPattern}$", JobBounds), Policy("dead", $"^{Regex.Escape(QueueNames.Dead)}$", DeadBounds)],
        permissions = users.Select(user =>
            new { user = user.Name, vhost = VirtualHost, configure = user.Configure, write = user.Write, read = user.Read }),
        topic_permissions = users.Select(user =>
            new { user = user.Name, vhost = VirtualHost, exchange = QueueNames.Control, write = user.Tells, read = user.Hears }),
    }).Replace(VirtualHost, HelmFunctions.InJson(access.VirtualHost), StringComparison.Ordinal);

    // The defaults of Messaging:MaxQueueBytes and its like. Queues have them as arguments already, but for those that an earlier build declared;
    // of an argument and a policy the lower bound holds.
    // What a queue gives up goes to others by a policy, since whoever declares a queue with that as its argument must be allowed to read
    // it, and gateways are not.
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
