using System.Text.Json;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes;

/// <summary>
/// Virtual host, users and policies of the release's own broker, as definitions that the server takes over at each start: a new password in the Secret and
/// new rights in the chart hold from then on. Users of the server's settings are made once, with an empty volume, and stay as they were.
/// </summary>
/// <seealso href="https://www.rabbitmq.com/docs/definitions"/>
internal sealed class BrokerDefinitions(BrokerAccess access)
{
    /// <summary>Where the server finds them.</summary>
    public const string Path = $"{Folder}/definitions.json";

    private const string Folder = "/etc/rabbitmq/users";
    private const string Variable = "DEFINITIONS";
    private const string VolumeName = "users";

    // In the place of the virtual host until the text is JSON.
    private const string VirtualHost = "the virtual host of values.yaml";
    private const int Mebibyte = 1024 * 1024;

    /// <summary>Has them written before the server starts, into memory: passwords are on no disk and in no ConfigMap.</summary>
    public void WriteBefore(PodSpecV1 pod, ContainerV1 server)
    {
        var writer = new ContainerV1
        {
            Name = "definitions",
            Image = server.Image,
            ImagePullPolicy = server.ImagePullPolicy,
            Resources = PodShape.Need("10m", "32Mi"),
        };
        writer.Command.AddRange(["sh", "-c", $"umask 077; printenv {Variable} > {Path}"]);
        writer.Env.AddRange(BrokerUser.All.Select(user => new EnvVarV1 { Name = PasswordVariable(user), ValueFrom = access.FromSecret(user.PasswordKey) }));

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
        users = BrokerUser.All.Select(user => new { name = user.Name, password = $"$({PasswordVariable(user)})", tags = user.Tags }),
        vhosts = (object[])[new { name = VirtualHost }],
        policies = (object[])[Policy("jobs", @"^infer\..+\.(default|resume)$", JobBounds), Policy("dead", @"^infer\.dead$", DeadBounds)],
        permissions = BrokerUser.All.Select(user => new { user = user.Name, vhost = VirtualHost, configure = user.Configure, write = user.Write, read = user.Read }),
    }).Replace(VirtualHost, HelmFunctions.InJson(access.VirtualHost), StringComparison.Ordinal);

    // The defaults of Messaging:MaxQueueBytes and its like. Queues have them as arguments already, but for those that an earlier build declared;
    // of an argument and a policy the lower bound holds.
    private static Dictionary<string, object> JobBounds { get; } = new() { ["max-length-bytes"] = 256 * Mebibyte };

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

    private static string PasswordVariable(BrokerUser user) => $"{user.Name.ToUpperInvariant()}_PASSWORD";
}
