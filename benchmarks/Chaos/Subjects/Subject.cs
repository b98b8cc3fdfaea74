using System.Text;
using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Testing.Broker;

namespace AgentPlatform.Benchmarks.Chaos.Subjects;

/// <summary>What the processes hold when nothing is asked of them.</summary>
/// <param name="Gateway">Bytes in use on its heap.</param>
/// <param name="Workers">The same of all workers together.</param>
/// <param name="ActiveSlots">Requests that engines run.</param>
internal sealed record Holdings(long Gateway, long Workers, long ActiveSlots);

/// <summary>A job that was given up.</summary>
/// <param name="Body">What its client sent.</param>
/// <param name="Attempts">What its gateway saw of its attempts, as JSON; empty if the broker gave it up.</param>
internal sealed record DeadRequest(string Body, string Attempts);

/// <summary>The platform under test, all of it processes of their own: broker, gateway, workers.</summary>
internal sealed class Subject : IAsyncDisposable
{
    private static readonly TimeSpan _quietLimit = TimeSpan.FromSeconds(10);

    private readonly string _version = Guid.NewGuid().ToString("N");
    private readonly List<SubjectProcess> _workers = [];
    private readonly List<SubjectProcess> _gateways = [];
    private readonly List<TcpProxy> _proxies = [];
    private readonly List<StreamWriter> _logs = [];
    private readonly string? _logFolder;

    private Subject(string? logFolder) => _logFolder = logFolder;

    public RabbitMQNode Broker { get; } = new();

    public IReadOnlyList<SubjectProcess> Workers => _workers;

    public IReadOnlyList<SubjectProcess> Gateways => _gateways;

    /// <summary>How often a process ended by itself.</summary>
    public int Deaths => _workers.Concat(_gateways).Sum(process => process.Deaths);

    /// <summary>Before the broker, if the shape asks for them: the gateway's, then one for each worker.</summary>
    public IReadOnlyList<TcpProxy> Proxies => _proxies;

    /// <summary>Where jobs wait.</summary>
    public string Queue => QueueNames.Job(ChaosRequest.Model, _version);

    /// <summary>The first gateway's.</summary>
    public int Port => _gateways[0].Port;

    /// <summary>Starts all of it and waits until it is ready.</summary>
    public static async Task<Subject> StartAsync(SubjectShape shape, string? logFolder, CancellationToken cancellationToken)
    {
        var subject = new Subject(logFolder);
        try
        {
            await subject.StartAsync(shape, cancellationToken);
            return subject;
        }
        catch
        {
            await subject.DisposeAsync();
            throw;
        }
    }

    /// <summary>What the processes hold once all slots are free, or have had time enough to be.</summary>
    public async Task<Holdings> SettleAsync(CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var workers = await Task.WhenAll(_workers.Select(worker => worker.SettleAsync()));
            var active = workers.Sum(worker => worker.ActiveSlots);
            if (active == 0 || TimeProvider.System.GetElapsedTime(began) > _quietLimit)
            {
                var gateways = await Task.WhenAll(_gateways.Select(gateway => gateway.SettleAsync()));
                return new Holdings(gateways.Sum(gateway => gateway.HeapBytes), workers.Sum(worker => worker.HeapBytes), active);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Stops the workers, so that what they hold goes back, and then the gateway.</summary>
    /// <returns>Their exit codes.</returns>
    public async Task<IReadOnlyList<int>> StopAsync(CancellationToken cancellationToken)
    {
        var exitCodes = await Task.WhenAll(_workers.Select(worker => worker.StopAsync(cancellationToken)));
        return [.. exitCodes, .. await Task.WhenAll(_gateways.Select(gateway => gateway.StopAsync(cancellationToken)))];
    }

    /// <summary>How many jobs wait, once none does or none has left for a while.</summary>
    public async Task<uint> CountWaitingAsync(CancellationToken cancellationToken)
    {
        await using var connection = await Broker.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var waiting = (await channel.QueueDeclarePassiveAsync(Queue, cancellationToken)).MessageCount
                + (await channel.QueueDeclarePassiveAsync(QueueNames.Resume(Queue), cancellationToken)).MessageCount;
            if (waiting == 0 || TimeProvider.System.GetElapsedTime(began) > _quietLimit)
            {
                return waiting;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>The jobs that were given up.</summary>
    public async Task<IReadOnlyList<DeadRequest>> ReadDeadAsync(CancellationToken cancellationToken)
    {
        await using var connection = await Broker.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        var dead = new List<DeadRequest>();
        while (await channel.BasicGetAsync(QueueNames.Dead, autoAck: false, cancellationToken) is { } message)
        {
            var attempts = message.BasicProperties.Headers?.TryGetValue(DeadHeaders.Attempts, out var json) == true ? json as byte[] : null;
            dead.Add(new DeadRequest(Encoding.UTF8.GetString(message.Body.Span), Encoding.UTF8.GetString(attempts ?? [])));
        }

        return dead;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_workers.Concat(_gateways).Select(process => process.DisposeAsync().AsTask()));

        foreach (var proxy in _proxies)
        {
            await proxy.DisposeAsync();
        }

        await Broker.DisposeAsync();
        foreach (var log in _logs)
        {
            await log.DisposeAsync();
        }
    }

    private async Task StartAsync(SubjectShape shape, CancellationToken cancellationToken)
    {
        await Broker.StartAsync();
        for (var i = 0; i < shape.Gateways; i++)
        {
            var name = i == 0 ? "gateway" : $"gateway-{i}";
            _gateways.Add(new SubjectProcess(
                "gateway", name, RabbitMQNode.FreePort(), new Dictionary<string, string>(shape.CommonSettings(Connect(shape)))
            {
                ["Models__0__Name"] = ChaosRequest.Model,
                ["Models__0__Version"] = _version,
                ["Models__0__Operations__0"] = "Chat",
            }, Log(name)));
        }

        for (var i = 0; i < shape.Workers; i++)
        {
            _workers.Add(new SubjectProcess(
                "worker", $"worker {i}", RabbitMQNode.FreePort(),
                shape.WorkerSettings(Connect(shape), ChaosRequest.Model, _version, shape.Step, ChaosRequest.PoisonText),
                Log($"worker-{i}")));
        }

        await Task.WhenAll(_workers.Concat(_gateways).Select(process => process.StartAsync(cancellationToken)));
    }

    private string Connect(SubjectShape shape)
    {
        if (!shape.IsProxied)
        {
            return Broker.ConnectionString;
        }

        var broker = new UriBuilder(Broker.ConnectionString);
        var proxy = new TcpProxy(broker.Port);
        _proxies.Add(proxy);
        broker.Port = proxy.Port;
        return broker.Uri.ToString();
    }

    private StreamWriter? Log(string name)
    {
        if (_logFolder is null)
        {
            return null;
        }

        var log = new StreamWriter(Path.Combine(Directory.CreateDirectory(_logFolder).FullName, $"{name}.log")) { AutoFlush = true };
        _logs.Add(log);
        return log;
    }
}
