using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Chaos.Subjects;

namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>What is done to the platform, and what the platform is held to meanwhile.</summary>
internal abstract class ChaosPlan
{
    /// <summary>Messaging:DeliveryLimit as gateway and workers have it by default.</summary>
    protected const int DeliveryLimit = 5;

    /// <summary>By which it is called.</summary>
    public abstract string Name { get; }

    /// <summary>A short description for the report.</summary>
    public abstract string Says { get; }

    /// <summary>How long it takes unless the command line says it.</summary>
    public abstract TimeSpan Length { get; }

    /// <summary>Requests that the plan sends beside those of the crowd.</summary>
    public virtual IEnumerable<ChaosRequest> OwnRequests => [];

    /// <summary>Each worker has room for all streams, so that only the loss of all of them can make a stream wait.</summary>
    public virtual SubjectShape Shape(ChaosOptions options) => new(options.Workers, options.Streams + 8, TimeSpan.FromMilliseconds(50));

    /// <summary>What the crowd asks: answers of one to four seconds.</summary>
    public virtual IReadOnlyList<ChaosRequest> Requests(Random random) => ChaosRequest.Create(random, count: 200, fewest: 20, most: 80);

    /// <summary>Troubles the platform, and tells the run what did not hold.</summary>
    public abstract Task RunAsync(ChaosRun run, CancellationToken cancellationToken);

    protected static Task PauseAsync(TimeSpan length, CancellationToken cancellationToken) =>
        Task.Delay(length, TimeProvider.System, cancellationToken);

    /// <summary>How long this run troubles the platform.</summary>
    protected TimeSpan LengthOf(ChaosRun run) => run.Options.Duration ?? Length;
}
