using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Testing.Broker;

/// <summary>
/// A RabbitMQ node of its own for tests and benchmarks: own ports, name, folder and epmd, all in one process group that dies with the
/// process that started it, however that ends, since the group's shell waits for the end of its standard input.
/// </summary>
public class RabbitMQNode : IAsyncDisposable
{
    /// <summary>Names a root folder with another RabbitMQ than the machine's, such as one made by debootstrap; needs root.</summary>
    private const string RootVariable = "AGENTPLATFORM_RABBITMQ_ROOT";

    /// <summary>The Debian package's start script below the wrapper that insists on a user of its own.</summary>
    private const string ServerScript = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    private const string ControlScript = "/usr/lib/rabbitmq/bin/rabbitmqctl";

    private const string ConfigurationFile = "rabbitmq.conf";
    private const string PluginsFile = "enabled_plugins";

    private const int FirstPort = 20_000;
    private const int PortCount = 12_000;

    // Processes that test at the same time begin at different places.
    private static int _lastPort = Random.Shared.Next(PortCount);

    private static readonly TimeSpan _startLimit = TimeSpan.FromMinutes(3);

    private readonly string _home = Directory.CreateTempSubdirectory("agentplatform-rabbitmq-").FullName;
    private readonly int _port = FreePort();
    private readonly int _distributionPort = FreePort();
    private readonly int _epmdPort = FreePort();
    private Process? _group;

    /// <summary>The first server that can refuse what is deprecated.</summary>
    public static Version KnowsDeprecated { get; } = new(3, 13);

    /// <summary>Version of the server, from the name of its folder: <c>/usr/lib/rabbitmq/lib/rabbitmq_server-4.3.6</c>.</summary>
    public static Version ServerVersion { get; } = Version.Parse(
        Path.GetFileName(Directory.EnumerateDirectories(
            $"{Environment.GetEnvironmentVariable(RootVariable)}/usr/lib/rabbitmq/lib", "rabbitmq_server-*").Single()).Split('-')[1]);

    /// <summary>
    /// Settings by which the server refuses what RabbitMQ is about to remove, as a later one will by itself. Servers before 3.13 do not
    /// know them.
    /// </summary>
    /// <seealso href="https://www.rabbitmq.com/docs/deprecated-features"/>
    protected static string RefuseDeprecated { get; } = ServerVersion < KnowsDeprecated ? "" : string.Concat(
        ((string[])["amqp_address_v1", "global_qos", "management_metrics_collection", "queue_master_locator", "transient_nonexcl_queues"])
        .Select(feature => $"deprecated_features.permit.{feature} = false\n"));

    /// <summary>Connection string of the node.</summary>
    public virtual string ConnectionString => $"amqp://guest:guest@127.0.0.1:{_port}";

    /// <summary>Its port without encryption, if its configuration names no listener.</summary>
    protected int Port => _port;

    /// <summary>Folder of its files, the same for the node and for this process.</summary>
    protected string Home => _home;

    /// <summary>What stands in rabbitmq.conf when it starts.</summary>
    protected virtual string Configuration => RefuseDeprecated;

    /// <summary>Its name. Nodes of a cluster have one epmd, which tells their ports by it.</summary>
    protected internal virtual string NodeName => $"t{_port}@localhost";

    /// <summary>Port of the epmd that knows it.</summary>
    protected virtual int EpmdPort => _epmdPort;

    /// <summary>Whether that epmd is its own.</summary>
    protected virtual bool HasOwnEpmd => true;

    /// <summary>What stands in enabled_plugins when it starts.</summary>
    protected virtual string Plugins => "[].\n";

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        Directory.Delete(_home, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts the node and waits until it takes connections.</summary>
    public async Task StartAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_home, ConfigurationFile), Configuration);
        await File.WriteAllTextAsync(Path.Combine(_home, PluginsFile), Plugins);
        var start =
            new ProcessStartInfo("setsid") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in Command(
            $"{(HasOwnEpmd ? "epmd -address 127.0.0.1 & " : "")}{ServerScript} & cat > /dev/null; kill -KILL 0"))
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in Settings())
        {
            start.Environment[name] = value;
        }

        _group = Process.Start(start) ?? throw new InvalidOperationException("setsid did not start.");
        _group.OutputDataReceived += static (_, _) => { };
        _group.ErrorDataReceived += static (_, _) => { };
        _group.BeginOutputReadLine();
        _group.BeginErrorReadLine();

        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = await ConnectAsync();
                return;
            }
            catch (BrokerUnreachableException) when (TimeProvider.System.GetElapsedTime(began) < _startLimit)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            }
        }
    }

    /// <summary>Kills the node as a power failure would; its folder stays.</summary>
    public async Task KillAsync()
    {
        // RabbitMQ writes the identity of a new quorum queue to disk a while after it was declared. A kill before that leaves a queue that
        // never elects a leader again, which no client can mend.
        await ControlAsync("eval '[dets:sync(Table) || Table <- dets:all()].'");
        await EndAsync();
    }

    /// <summary>Freezes the node, connections and all, as a stalled machine would be.</summary>
    public async Task FreezeAsync()
    {
        await SignalAsync("STOP");
        while (!GroupStates().All(state => state is 'T' or 'Z'))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    /// <summary>Lets a frozen node go on.</summary>
    public Task ThawAsync() => SignalAsync("CONT");

    /// <summary>Runs <c>rabbitmqctl</c> against the node.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> ControlAsync(string arguments)
    {
        var start = new ProcessStartInfo("setsid") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in Command($"{ControlScript} {arguments}"))
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in Settings())
        {
            start.Environment[name] = value;
        }

        using var control = Process.Start(start) ?? throw new InvalidOperationException("setsid did not start.");
        var (output, error) = (control.StandardOutput.ReadToEndAsync(), control.StandardError.ReadToEndAsync());
        await control.WaitForExitAsync();
        if (control.ExitCode != 0)
        {
            throw new InvalidOperationException($"rabbitmqctl {arguments}: {await output} {await error}");
        }

        return await output;
    }

    /// <summary>A plain connection for what a test looks at.</summary>
    public virtual Task<IConnection> ConnectAsync() =>
        new ConnectionFactory { Uri = new Uri(ConnectionString), AutomaticRecoveryEnabled = false }.CreateConnectionAsync();

    /// <summary>
    /// A port that nobody has, below those that the kernel gives to outgoing connections (from 32768): one of these may be taken
    /// again before the server that it is meant for has started. Never the same twice in a process.
    /// </summary>
    internal static int FreePort()
    {
        for (var attempt = 0; attempt < PortCount; attempt++)
        {
            var port = FirstPort + (int)((uint)Interlocked.Increment(ref _lastPort) % PortCount);
            try
            {
                using var listener = new TcpListener(IPAddress.Any, port);
                listener.Start();
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // The next one.
            }
        }

        throw new InvalidOperationException($"All ports from {FirstPort} on are taken.");
    }

    private async Task EndAsync()
    {
        if (_group is { } group)
        {
            // The end of its input is what kills the group, and a frozen one does not see it.
            await SignalAsync("CONT");
            group.StandardInput.Close();
            await group.WaitForExitAsync();
            group.Dispose();
            _group = null;
        }
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("sh", ["-c", $"kill -{signal} -{_group!.Id}"]);
        await kill.WaitForExitAsync();
        if (kill.ExitCode != 0 || !GroupStates().Any())
        {
            throw new InvalidOperationException($"The broker's process group {_group!.Id} is not there.");
        }
    }

    // "5863 (beam.smp) S 5857 5856 5856 0 ...": state, parent, process group.
    private IEnumerable<char> GroupStates()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(folder[^1])))
        {
            string[] fields;
            try
            {
                fields = File.ReadAllText(Path.Combine(folder, "stat")).Split(") ")[^1].Split(' ');
            }
            catch (IOException)
            {
                continue; // It ended meanwhile.
            }

            if (fields[2] == $"{_group!.Id}")
            {
                yield return fields[0][0];
            }
        }
    }

    // In another root the group has mounts of its own, which end with it; the folder of the node is the same inside and outside.
    private static IEnumerable<string> Command(string group) => Environment.GetEnvironmentVariable(RootVariable) is { Length: > 0 } root
        ? [
            "unshare", "--mount", "sh", "-c",
            "mount --rbind /proc $0/proc && mount --rbind /dev $0/dev && mount --bind /tmp $0/tmp && exec chroot $0 sh -c \"$1\"", root,
            group]
        : ["sh", "-c", group];

    private IEnumerable<(string Name, string Value)> Settings()
    {
        yield return ("HOME", _home);
        yield return ("RABBITMQ_NODENAME", NodeName);
        yield return ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1");
        yield return ("RABBITMQ_NODE_PORT", $"{_port}");

        // The default is the node's port + 20000, which can pass 65535.
        yield return ("RABBITMQ_DIST_PORT", $"{_distributionPort}");
        yield return ("ERL_EPMD_PORT", $"{EpmdPort}");
        yield return ("ERL_EPMD_ADDRESS", "127.0.0.1");
        yield return ("RABBITMQ_MNESIA_BASE", Path.Combine(_home, "mnesia"));
        yield return ("RABBITMQ_LOG_BASE", Path.Combine(_home, "log"));
        yield return ("RABBITMQ_PID_FILE", Path.Combine(_home, "pid"));
        yield return ("RABBITMQ_CONF_ENV_FILE", "/dev/null");
        yield return ("RABBITMQ_CONFIG_FILE", Path.Combine(_home, ConfigurationFile));
        yield return ("RABBITMQ_ENABLED_PLUGINS_FILE", Path.Combine(_home, PluginsFile));
    }
}
