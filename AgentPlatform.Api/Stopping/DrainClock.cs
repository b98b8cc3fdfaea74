using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Stopping;

/// <summary>
/// The two moments of a process's end, for jobs and HTTP alike: from <see cref="Began"/> on it looks for nothing new, at <see cref="Over"/>
/// it gives up what still runs. Both are earlier than the hosted services' own turns to stop, which come one after another.
/// </summary>
public sealed class DrainClock : IDisposable
{
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationTokenRegistration _registration;
    private ITimer? _timer;

    public DrainClock(IHostApplicationLifetime lifetime, IOptions<StoppingOptions> options, TimeProvider time)
    {
        (Began, Over) = (lifetime.ApplicationStopping, _over.Token);
        _registration = Began.Register(() =>
            _timer = time.CreateTimer(static over => ((CancellationTokenSource)over!).Cancel(), _over, options.Value.DrainTimeout,
                Timeout.InfiniteTimeSpan));
    }

    /// <summary>Cancelled when the process begins to stop.</summary>
    public CancellationToken Began { get; }

    /// <summary>Cancelled when it has waited long enough for what runs. Can be asked for also by those who outlive the clock.</summary>
    public CancellationToken Over { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration.Dispose();
        _timer?.Dispose();
        _over.Dispose();
    }
}
