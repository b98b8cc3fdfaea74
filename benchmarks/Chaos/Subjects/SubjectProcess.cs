using AgentPlatform.Benchmarks.Processes;

namespace AgentPlatform.Benchmarks.Chaos.Subjects;

/// <summary>One place of a gateway or a worker: its process, and after its end the next one, as an orchestrator keeps it.</summary>
/// <remarks>One fault at a time; everything else is safe for concurrent use.</remarks>
internal sealed class SubjectProcess(string role, string name, int port, IReadOnlyDictionary<string, string> settings, TextWriter? log)
    : IAsyncDisposable
{
    // A process that cannot even start is a mistake, not chaos.
    private const int MostDeaths = 100;

    private static readonly TimeSpan _stopLimit = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _change = new(1);
    private ChildProcess? _process;
    private int _deaths;

    public string Name => name;

    public int Port => port;

    /// <summary>How often it ended without being told to.</summary>
    public int Deaths => Volatile.Read(ref _deaths);

    /// <summary>Starts the process and waits until it is ready.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _change.WaitAsync(cancellationToken);
        try
        {
            await LaunchAsync(cancellationToken);
        }
        finally
        {
            _change.Release();
        }
    }

    /// <summary>Ends it as a crash would, and starts it at once. Returns when the next one is ready.</summary>
    public Task CrashAsync(CancellationToken cancellationToken) => CrashAsync(TimeSpan.Zero, cancellationToken);

    /// <summary>Ends it as a crash would, and starts it after a while. Returns when the next one is ready.</summary>
    public async Task CrashAsync(TimeSpan away, CancellationToken cancellationToken)
    {
        await _change.WaitAsync(cancellationToken);
        try
        {
            await using (var process = Take())
            {
                process.Kill();
            }

            await Task.Delay(away, TimeProvider.System, cancellationToken);
            await LaunchAsync(cancellationToken);
        }
        finally
        {
            _change.Release();
        }
    }

    /// <summary>Asks it to stop, waits for its end and starts it again. Returns when the next one is ready.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> RestartAsync(CancellationToken cancellationToken)
    {
        await _change.WaitAsync(cancellationToken);
        try
        {
            var exitCode = await EndAsync(cancellationToken);
            await LaunchAsync(cancellationToken);
            return exitCode;
        }
        finally
        {
            _change.Release();
        }
    }

    /// <summary>Asks it to stop and waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        await _change.WaitAsync(cancellationToken);
        try
        {
            return await EndAsync(cancellationToken);
        }
        finally
        {
            _change.Release();
        }
    }

    /// <summary>Stops its clock for a while.</summary>
    public async Task FreezeAsync(TimeSpan length, CancellationToken cancellationToken)
    {
        await _change.WaitAsync(cancellationToken);
        try
        {
            await _process!.FreezeAsync(length);
        }
        finally
        {
            _change.Release();
        }
    }

    /// <summary>Counts of the process after a full garbage collection.</summary>
    public Task<ProcessCounts> SettleAsync() => AskAsync(process => process.SettleAsync());

    /// <summary>When the engine was done with each request; the first call begins the noting.</summary>
    public Task<Dictionary<Guid, long>> TakeEndsAsync() =>
        AskAsync(process => process.AskAsync<Dictionary<Guid, long>>(RequestEnds.Question));

    /// <summary>Sets its clock, if the shape gives it one of its own.</summary>
    public Task SetClockAsync(long secondsAhead) => AskAsync(process => process.AskAsync<long>($"{WrongClock.Question}{secondsAhead}"));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _change.WaitAsync();
        if (_process is not null)
        {
            await Take().DisposeAsync();
        }

        _stop.Dispose();
        _change.Dispose();
    }

    private async Task<T> AskAsync<T>(Func<ChildProcess, Task<T>> ask)
    {
        await _change.WaitAsync();
        try
        {
            return await ask(_process ?? throw new InvalidOperationException($"The {name} is stopped."));
        }
        finally
        {
            _change.Release();
        }
    }

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var process = await ChildProcess.StartAsync(role, port, settings, cancellationToken, log);
                _process = process;
                _ = WatchAsync(process);
                return;
            }
            catch (InvalidOperationException) when (Interlocked.Increment(ref _deaths) < MostDeaths)
            {
                // A job killed it before it was seen to be ready.
            }
        }
    }

    private async Task<int> EndAsync(CancellationToken cancellationToken)
    {
        await using var process = Take();
        using var limit = new CancellationTokenSource(_stopLimit, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await process.TerminateAsync();
        try
        {
            return await process.ExitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            process.Kill();
            return -1;
        }
    }

    /// <summary>The process, whose end is not by itself any more.</summary>
    private ChildProcess Take()
    {
        var process = _process!;
        _process = null;
        return process;
    }

    private async Task WatchAsync(ChildProcess process)
    {
        try
        {
            await process.Ended.WaitAsync(_stop.Token);
            await _change.WaitAsync(_stop.Token);
            try
            {
                if (_process == process)
                {
                    Interlocked.Increment(ref _deaths);
                    await Take().DisposeAsync();
                    await LaunchAsync(_stop.Token);
                }
            }
            finally
            {
                _change.Release();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The plan is over.
        }
    }
}
