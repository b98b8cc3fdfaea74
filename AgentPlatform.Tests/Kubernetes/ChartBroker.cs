using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AgentPlatform.Testing.Broker;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>
/// The release's own broker as a process: with the configuration that the chart gives it, in other folders and on other ports.
/// </summary>
internal sealed class ChartBroker(Chart chart) : RabbitMQNode
{
    private const string Host = "localhost";

    private static readonly TimeSpan _initLimit = TimeSpan.FromMinutes(1);

    private readonly JsonNode _pod = chart.Get("StatefulSet", "messaging-statefulset")["spec"]!["template"]!;
    private readonly int _managementPort = FreePort();
    private readonly int _prometheusPort = FreePort();
    private readonly int _tlsPort = FreePort();

    /// <summary>What the passwords of the Secret end in.</summary>
    public string Secret { get; set; } = "1";

    public override string ConnectionString => Connection("gateway");

    protected override string Configuration => Here(Files["agentplatform.conf"]) + string.Join('\n', (string[])
    [
        "management.tcp.ip = 127.0.0.1",
        $"management.tcp.port = {_managementPort}",
        $"prometheus.tcp.port = {_prometheusPort}",
        RefuseDeprecated,
    ]);

    protected override string Plugins => Files["enabled_plugins"];

    private Dictionary<string, string> Files =>
        chart.Get("ConfigMap", "messaging-files")["data"]!.AsObject().ToDictionary(file => file.Key, file => (string)file.Value!);

    private bool IsEncrypted => Files["agentplatform.conf"].Contains("ssl", StringComparison.Ordinal);

    /// <summary>Runs what runs before the server, and the server.</summary>
    public async Task BeginAsync()
    {
        foreach (var folder in (string[])["users", "tls"])
        {
            Directory.CreateDirectory(Path.Combine(Home, folder));
        }

        await WriteCertificateAsync(Path.Combine(Home, "tls"));
        foreach (var container in Chart.List(_pod["spec"]!["initContainers"]))
        {
            var command = Chart.List(container["command"]).Select(part => Here((string)part!)).ToList();
            (await TiedProcess.RunAsync(_initLimit, command[0], command[1..], start =>
            {
                foreach (var (name, value) in Environment(container))
                {
                    start.Environment[name] = value;
                }
            })).Checked();
        }

        await StartAsync();
    }

    /// <summary>A connection under a user with the Secret's password.</summary>
    public override Task<IConnection> ConnectAsync() => ConnectAsync(Secret);

    /// <summary>A connection of the gateway's user with the password of some Secret.</summary>
    public Task<IConnection> ConnectAsync(string secret)
    {
        var factory = new ConnectionFactory
        {
            Uri = new Uri(Connection("gateway").Replace($":gateway{Secret}@", $":gateway{secret}@", StringComparison.Ordinal)),
            AutomaticRecoveryEnabled = false,
        };
        factory.Ssl.AcceptablePolicyErrors = SslPolicyErrors.RemoteCertificateChainErrors;
        return factory.CreateConnectionAsync();
    }

    /// <summary>Starts a program with the address, the password and the trusted authorities that the chart gives a component.</summary>
    public ServiceProcess Start(string program, string component, params string[] settings)
    {
        var environment = Environment(chart.Container(component));
        return ServiceProcess.Start(program, new Dictionary<string, string>
        {
            ["ConnectionStrings__messaging"] = Address(environment["ConnectionStrings__messaging"]),
            ["Messaging__DeadLettersByPolicy"] = environment["Messaging__DeadLettersByPolicy"],
            ["SSL_CERT_DIR"] = environment["SSL_CERT_DIR"]
                .Replace("/etc/agentplatform/broker-ca", Path.Combine(Home, "tls"), StringComparison.Ordinal),
        }, settings);
    }

    /// <summary>The management API, as its user of the Secret sees it.</summary>
    public HttpClient Management(string user)
    {
        var http = new HttpClient { BaseAddress = new Uri($"http://{Host}:{_managementPort}/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{user}{Secret}")));
        return http;
    }

    private string Connection(string component) => Address(Environment(chart.Container(component))["ConnectionStrings__messaging"]);

    /// <summary>A connection of a user.</summary>
    public Task<IConnection> ConnectAsUserAsync(string user) => new ConnectionFactory
    {
        Uri = new Uri(ConnectionString.Replace($"//gateway:gateway{Secret}@", $"//{user}:{user}{Secret}@", StringComparison.Ordinal)),
        AutomaticRecoveryEnabled = false,
    }.CreateConnectionAsync();

    // amqp://gateway:...@messaging-service:5672/%2F
    private string Address(string address) => address
        .Replace("messaging-service:5672", $"{Host}:{Port}", StringComparison.Ordinal)
        .Replace("messaging-service:5671", $"{Host}:{_tlsPort}", StringComparison.Ordinal);

    private string Here(string text) => text
        .Replace("/etc/rabbitmq/", $"{Home}/", StringComparison.Ordinal)
        .Replace("/var/lib/rabbitmq/", $"{Home}/", StringComparison.Ordinal)
        .Replace("default = 5671", $"default = 127.0.0.1:{_tlsPort}", StringComparison.Ordinal);

    // As the kubelet makes it: values of the Secret, and in the place of $(NAME) what was named before.
    private Dictionary<string, string> Environment(JsonNode container)
    {
        var variables = new Dictionary<string, string>();
        foreach (var (name, value) in PodSettings.Of(chart, container))
        {
            var known = value.StartsWith("secret:messaging-users/", StringComparison.Ordinal)
                ? value.Split('/')[1].Replace("-password", Secret, StringComparison.Ordinal)
                : value;
            variables[name] = variables.Aggregate(
                known, (text, other) => text.Replace($"$({other.Key})", other.Value, StringComparison.Ordinal));

            // Workers are named by their pods, which are this machine here.
            variables[name] = variables[name].Replace(
                "tiny-chat-deployment-.", $"{JsonEncodedText.Encode(Regex.Escape(System.Environment.MachineName))}.",
                StringComparison.Ordinal);
        }

        return variables;
    }

    private async Task WriteCertificateAsync(string folder)
    {
        if (!IsEncrypted || File.Exists(Path.Combine(folder, "ca.crt")))
        {
            return;
        }

        using var authority = new PrivateAuthority();
        using var certificate = authority.Issue("messaging-service", names => names.AddDnsName(Host));
        using var key = certificate.GetECDsaPrivateKey()!;
        await File.WriteAllTextAsync(Path.Combine(folder, "tls.crt"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(Path.Combine(folder, "ca.crt"), authority.Pem);
    }
}
