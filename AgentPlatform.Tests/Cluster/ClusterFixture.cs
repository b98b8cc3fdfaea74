namespace AgentPlatform.Tests.Cluster;

/// <summary>
/// The platform as containers on a network of their own: broker, gateway, a worker that classifies and two that chat, with the rights that
/// the chart gives to pods. Images are built first, which is quick when nothing has changed.
/// </summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private const string Tag = "test";
    private const string LocalBroker = "agentplatform/local-rabbitmq";
    private const string PublicBroker = "docker.io/library/rabbitmq:4.3";

    private static readonly TimeSpan _buildLimit = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan _startLimit = TimeSpan.FromMinutes(2);

    private static readonly string[] _restricted =
    [
        "--user", "1654", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
    ];

    /// <summary>Settings of the gateway, and of any further one.</summary>
    private static readonly (string, string)[] _gateway =
    [
        ("Models__0__Name", "sentiment"), ("Models__0__Operations__0", "Analyze"), ("Models__1__Name", "tiny-chat"),
    ];

    // Slow enough that what happens to one of them happens in the middle of answers.
    private static readonly string[] _slow = ["--cpus", "0.5"];

    private static readonly (string, string)[] _chat =
        [
            ("Model__Name", "tiny-chat"), ("Engine__Type", "onnx-chat"), ("Model__Source", "models/tiny-chat"),
            ("Onnx__IntraOpThreads", "1"), ("Engine__Slots", $"{Crowd.Slots}"), ("Stopping__DrainTimeout", "00:01:00"),
        ];

    private static readonly (string, string)[] _sentiment =
    [
        ("Model__Name", "sentiment"), ("Engine__Type", "onnx-classifier"), ("Model__Source", "models/sentiment"),
    ];

    private readonly string _name = $"agentplatform-{Guid.NewGuid():N}";
    private readonly List<string> _containers = [];

    /// <summary>A client of the gateway.</summary>
    public HttpClient Gateway { get; private set; } = null!;

    /// <summary>The containers of this repository's images.</summary>
    internal static IReadOnlyList<string> Platform { get; } = ["gateway", "sentiment", "chat-1", "chat-2"];

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        if (!ContainerEngine.Answers)
        {
            return; // Every test is left out.
        }

        ContainerEngine.Checked(_buildLimit, "./eng/build-images.sh", Tag);
        ContainerEngine.Docker("network", "create", _name);
        try
        {
            StartBroker();
            StartOfImage("sentiment", "worker", _sentiment);
            StartOfImage("chat-1", "worker", _chat, _slow);
            StartOfImage("chat-2", "worker", _chat, _slow);
            StartOfImage("gateway", "gateway", _gateway);
            foreach (var name in Platform)
            {
                await BeReadyAsync(name);
            }

            Gateway = Client("gateway");
        }
        catch
        {
            await DisposeAsync(); // Nobody else does after a failure.
            throw;
        }
    }

    /// <inheritdoc/>
    public Task DisposeAsync()
    {
        Gateway?.Dispose();
        if (ContainerEngine.Answers)
        {
            foreach (var name in _containers)
            {
                ContainerEngine.Docker("rm", "--force", "--volumes", Full(name));
            }

            ContainerEngine.Docker("network", "rm", _name);
        }

        return Task.CompletedTask;
    }

    /// <summary>The container's name at the engine.</summary>
    internal string Full(string name) => $"{_name}-{name}";

    /// <summary>A client of a container's port 8080.</summary>
    internal HttpClient Client(string name)
    {
        var address = ContainerEngine.Docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", Full(name));
        return new HttpClient { BaseAddress = new Uri($"http://{address}:8080/"), Timeout = _startLimit };
    }

    /// <summary>Runs a program in a container; gives what it wrote.</summary>
    internal string Execute(string name, params IEnumerable<string> command) => ContainerEngine.Docker(["exec", Full(name), .. command]);

    /// <summary>One more gateway.</summary>
    internal Task StartGatewayAsync(string name)
    {
        StartOfImage(name, "gateway", _gateway);
        return BeReadyAsync(name);
    }

    /// <summary>A worker that classifies and knows of no broker.</summary>
    internal Task StartLoneWorkerAsync(string name)
    {
        Run(name, [.. _restricted, .. Environment(_sentiment), $"agentplatform/worker:{Tag}"]);
        return BeReadyAsync(name);
    }

    /// <summary>Stops a container as an orchestrator does, with a minute to end by itself; gives its exit code.</summary>
    internal int Stop(string name)
    {
        ContainerEngine.Docker("stop", "--time", "60", Full(name));
        return int.Parse(
            ContainerEngine.Docker("inspect", "--format", "{{.State.ExitCode}}", Full(name)),
            System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Starts a container that has ended, and waits until it is ready.</summary>
    internal Task StartAgainAsync(string name)
    {
        ContainerEngine.Docker("start", Full(name));
        return BeReadyAsync(name);
    }

    private static IEnumerable<string> Environment(IEnumerable<(string Name, string Value)> settings) =>
        settings.SelectMany(setting => (string[])["--env", $"{setting.Name}={setting.Value}"]);

    private void StartOfImage(
        string name, string image, IEnumerable<(string Name, string Value)> settings, params IEnumerable<string> options) =>
        Run(name,
        [
            .. _restricted, .. options,
            .. Environment([("ConnectionStrings__messaging", $"amqp://guest:guest@{Full("broker")}:5672"), .. settings]),
            $"agentplatform/{image}:{Tag}",
        ]);

    // The made image has nothing but the distribution's package: what it writes goes to /tmp, and guest may come from another container.
    private void StartBroker()
    {
        var isLocal = ContainerEngine.Docker("images", "--quiet", LocalBroker).Length > 0;
        string[] settings = isLocal
            ? ["--read-only", "--tmpfs", "/tmp", "--tmpfs", "/var/lib/rabbitmq:mode=1777", "--env", "HOME=/tmp",
                "--env", "RABBITMQ_LOGS=-", "--env", "RABBITMQ_LOG_BASE=/tmp", "--env", "RABBITMQ_PID_FILE=/tmp/pid",
                "--env", "RABBITMQ_MNESIA_BASE=/tmp/mnesia", "--env", "RABBITMQ_ENABLED_PLUGINS_FILE=/tmp/plugins",
                "--env", "RABBITMQ_NODENAME=rabbit@localhost", "--env", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-rabbit loopback_users []",
                LocalBroker]
            : [PublicBroker];
        Run("broker", settings);
    }

    private void Run(string name, string[] arguments)
    {
        _containers.Add(name);
        ContainerEngine.Docker(["run", "--detach", "--network", _name, "--name", Full(name), .. arguments]);
    }

    // A worker is ready once it has its model and the broker, if it knows of one.
    private async Task BeReadyAsync(string name)
    {
        using var client = Client(name);
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(new Uri("/health", UriKind.Relative));
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
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

/// <summary>One platform for all tests of the tier, one test after another.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterGroup : ICollectionFixture<ClusterFixture>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Cluster";
}
