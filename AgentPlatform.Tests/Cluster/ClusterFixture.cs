namespace AgentPlatform.Tests.Cluster;

/// <summary>
/// The platform as containers on a network of their own: broker, gateway, and a worker for each demonstration model, with the rights that the
/// chart gives to pods. Images are built first, which is quick when nothing has changed.
/// </summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private const string Tag = "test";
    private const string LocalBroker = "agentplatform/local-rabbitmq";
    private const string PublicBroker = "docker.io/library/rabbitmq:4.3";

    private static readonly TimeSpan _startLimit = TimeSpan.FromMinutes(2);

    private static readonly string[] _restricted = ["--user", "1654", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];

    private readonly string _name = $"agentplatform-{Guid.NewGuid():N}";
    private readonly List<string> _containers = [];

    /// <summary>A client of the gateway.</summary>
    public HttpClient Gateway { get; private set; } = null!;

    /// <summary>Names of the containers of this repository's images.</summary>
    internal IReadOnlyList<string> Platform => [.. _containers.Where(name => !name.EndsWith("-broker", StringComparison.Ordinal))];

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        if (!ContainerEngine.Answers)
        {
            return; // Every test is left out.
        }

        ContainerEngine.Checked("./eng/build-images.sh", Tag);
        ContainerEngine.Docker("network", "create", _name);
        StartBroker();
        Start("sentiment", "worker", ("Model__Name", "sentiment"), ("Engine__Type", "onnx-classifier"), ("Model__Source", "models/sentiment"));
        Start("tiny-chat", "worker", ("Model__Name", "tiny-chat"), ("Engine__Type", "onnx-chat"), ("Model__Source", "models/tiny-chat"));
        Start("gateway", "gateway", ("Models__0__Name", "sentiment"), ("Models__0__Operations__0", "Analyze"), ("Models__1__Name", "tiny-chat"));

        Gateway = new HttpClient { BaseAddress = Address("gateway"), Timeout = _startLimit };
        foreach (var name in (string[])["gateway", "sentiment", "tiny-chat"])
        {
            await BeReadyAsync(name);
        }
    }

    /// <inheritdoc/>
    public Task DisposeAsync()
    {
        Gateway?.Dispose();
        if (ContainerEngine.Answers && _containers.Count > 0)
        {
            ContainerEngine.Docker(["rm", "--force", "--volumes", .. _containers]);
            ContainerEngine.Docker("network", "rm", _name);
        }

        return Task.CompletedTask;
    }

    /// <summary>Where a container's port 8080 is, from this machine.</summary>
    internal Uri Address(string name) =>
        new($"http://{ContainerEngine.Docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", Full(name))}:8080/");

    private string Full(string name) => $"{_name}-{name}";

    private void Start(string name, string image, params IEnumerable<(string Name, string Value)> settings) =>
        Run(name, [.. _restricted, "--env", $"ConnectionStrings__messaging=amqp://guest:guest@{Full("broker")}:5672",
            .. settings.SelectMany(setting => (string[])["--env", $"{setting.Name}={setting.Value}"]), $"agentplatform/{image}:{Tag}"]);

    // The made image has nothing but the distribution's package: what it writes goes to /tmp, and guest may come from another container.
    private void StartBroker()
    {
        var isLocal = ContainerEngine.Docker("images", "--quiet", LocalBroker).Length > 0;
        string[] settings = isLocal
            ? ["--read-only", "--tmpfs", "/tmp", "--tmpfs", "/var/lib/rabbitmq:mode=1777", "--env", "HOME=/tmp", "--env", "RABBITMQ_LOGS=-", "--env", "RABBITMQ_LOG_BASE=/tmp",
                "--env", "RABBITMQ_PID_FILE=/tmp/pid", "--env", "RABBITMQ_MNESIA_BASE=/tmp/mnesia", "--env", "RABBITMQ_ENABLED_PLUGINS_FILE=/tmp/plugins",
                "--env", "RABBITMQ_NODENAME=rabbit@localhost", "--env", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-rabbit loopback_users []", LocalBroker]
            : [PublicBroker];
        Run("broker", settings);
    }

    private void Run(string name, string[] arguments)
    {
        ContainerEngine.Docker(["run", "--detach", "--network", _name, "--name", Full(name), .. arguments]);
        _containers.Add(Full(name));
    }

    // A worker is ready once it has its model and the broker.
    private async Task BeReadyAsync(string name)
    {
        using var client = new HttpClient { BaseAddress = Address(name) };
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                if ((await client.GetAsync(new Uri("/health", UriKind.Relative))).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException) when (TimeProvider.System.GetElapsedTime(began) < _startLimit)
            {
                // It does not listen yet.
            }

            if (TimeProvider.System.GetElapsedTime(began) > _startLimit)
            {
                throw new InvalidOperationException($"{name} is not ready: {ContainerEngine.Logs(Full(name))}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }
}
