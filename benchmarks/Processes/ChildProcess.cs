using System.Diagnostics;
using System.Text.Json;

namespace AgentPlatform.Benchmarks.Processes;

/// <summary>What a measured process has done so far, as it tells when asked.</summary>
/// <param name="AllocatedBytes">Bytes that its garbage-collected heap has ever given out.</param>
/// <param name="MessagesSent">Messages that it has given to the broker.</param>
/// <param name="CpuSeconds">Processor time that it has used.</param>
internal sealed record ProcessCounts(long AllocatedBytes, long MessagesSent, double CpuSeconds);

/// <summary>
/// A process of this program in another role (<see cref="HostRole"/>), or a command of its own. It ends with this one, since it
/// waits for the end of its standard input.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan _startLimit = TimeSpan.FromMinutes(2);
    private readonly Process _process;
    private readonly Queue<string> _lastLines = new();

    private ChildProcess(Process process) => _process = process;

    /// <summary>Starts this program in a role and waits until its server at <paramref name="port"/> is healthy.</summary>
    public static async Task<ChildProcess> StartAsync(string role, int port, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Path.ChangeExtension(typeof(ChildProcess).Assembly.Location, null)) { ArgumentList = { "host", role } };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
        var child = new ChildProcess(Spawn(start));
        await child.UntilAnswersAsync($"http://127.0.0.1:{port}/health", cancellationToken);
        return child;
    }

    /// <summary>Starts another program and waits until <paramref name="port"/> answers.</summary>
    public static async Task<ChildProcess> StartAsync(string program, IEnumerable<string> arguments, int port, CancellationToken cancellationToken)
    {
        var child = new ChildProcess(Spawn(new ProcessStartInfo(program, arguments)));
        child._process.OutputDataReceived += child.Remember;
        child._process.BeginOutputReadLine();
        await child.UntilAnswersAsync($"http://127.0.0.1:{port}/", cancellationToken, anyStatus: true);
        return child;
    }

    /// <summary>Asks a process that runs in a role what it has done.</summary>
    public async Task<ProcessCounts> CountAsync()
    {
        await _process.StandardInput.WriteLineAsync("count");
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            // Its console log shares the stream.
            if (line.StartsWith('{') && JsonSerializer.Deserialize<ProcessCounts>(line) is { } counts)
            {
                return counts;
            }
        }

        throw new InvalidOperationException("A measured process ended.");
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), TimeProvider.System);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private static Process Spawn(ProcessStartInfo start)
    {
        (start.RedirectStandardInput, start.RedirectStandardOutput) = (true, true);
        return Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
    }

    private void Remember(object sender, DataReceivedEventArgs received)
    {
        lock (_lastLines)
        {
            _lastLines.Enqueue(received.Data ?? "");
            if (_lastLines.Count > 20)
            {
                _lastLines.Dequeue();
            }
        }
    }

    private async Task UntilAnswersAsync(string address, CancellationToken cancellationToken, bool anyStatus = false)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(new Uri(address), cancellationToken);
                if (anyStatus || response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not there yet.
            }

            if (_process.HasExited || TimeProvider.System.GetElapsedTime(began) > _startLimit)
            {
                throw new InvalidOperationException($"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} did not answer at {address}.\n{string.Join('\n', _lastLines)}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }
    }
}
