using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;

namespace AgentPlatform.Benchmarks.Processes;

/// <summary>What a measured process has done so far and holds now, as it tells when asked.</summary>
/// <param name="AllocatedBytes">Bytes that its garbage-collected heap has ever given out.</param>
/// <param name="MessagesSent">Messages that it has given to the broker.</param>
/// <param name="CpuSeconds">Processor time that it has used.</param>
/// <param name="ActiveSlots">Requests that its engine runs now.</param>
/// <param name="HeapBytes">Bytes in use on its heap; garbage is included unless it was collected before.</param>
/// <param name="ResidentBytes">Memory that the system has given it.</param>
internal sealed record ProcessCounts(
    long AllocatedBytes, long MessagesSent, double CpuSeconds, long ActiveSlots, long HeapBytes, long ResidentBytes);

/// <summary>
/// A process of this program in another role (<see cref="HostRole"/>), or a command of its own. It ends with this one, since it
/// waits for the end of its standard input.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan _startLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _answerLimit = TimeSpan.FromMinutes(1);
    private readonly Process _process;
    private readonly TextWriter? _log;
    private readonly Queue<string> _lastLines = new();
    private readonly SemaphoreSlim _asking = new(1);
    private readonly Channel<string> _answers = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProcess(ProcessStartInfo start, TextWriter? log)
    {
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        _log = log;
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.Exited += (_, _) => _ended.TrySetResult();
        _process.Start();
        _process.OutputDataReceived += Receive;
        _process.ErrorDataReceived += (_, received) => Remember(received.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Starts this program in a role and waits until its server at <paramref name="port"/> is healthy.</summary>
    /// <param name="role">One of <see cref="HostRole"/>'s.</param>
    /// <param name="port">Where its server listens.</param>
    /// <param name="settings">Environment variables.</param>
    /// <param name="cancellationToken">Ends the waiting, and the process.</param>
    /// <param name="log">Takes what it writes.</param>
    public static async Task<ChildProcess> StartAsync(
        string role, int port, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken, TextWriter? log = null)
    {
        var start =
            new ProcessStartInfo(Path.ChangeExtension(typeof(ChildProcess).Assembly.Location, null)) { ArgumentList = { "host", role } };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
        return await UntilAnswersAsync(
            new ChildProcess(start, log), $"http://127.0.0.1:{port}/health", anyStatus: false, cancellationToken);
    }

    /// <summary>Starts another program and waits until <paramref name="port"/> answers.</summary>
    public static Task<ChildProcess> StartAsync(
        string program, IEnumerable<string> arguments, int port, CancellationToken cancellationToken) =>
        UntilAnswersAsync(
            new ChildProcess(new ProcessStartInfo(program, arguments), log: null), $"http://127.0.0.1:{port}/", anyStatus: true,
            cancellationToken);

    /// <summary>Ends when it does.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Asks a process that runs in a role what it has done.</summary>
    public Task<ProcessCounts> CountAsync() => AskAsync<ProcessCounts>("count");

    /// <summary>Counts of the process after a full garbage collection.</summary>
    public Task<ProcessCounts> SettleAsync() => AskAsync<ProcessCounts>("settle");

    /// <summary>Asks a process that runs in a role something that <see cref="HostRole"/> knows; one question at a time.</summary>
    /// <exception cref="InvalidOperationException">It ended.</exception>
    public async Task<T> AskAsync<T>(string question)
    {
        await _asking.WaitAsync();
        try
        {
            await _process.StandardInput.WriteLineAsync(question);
            await _process.StandardInput.FlushAsync();
            return JsonSerializer.Deserialize<T>(await _answers.Reader.ReadAsync().AsTask().WaitAsync(_answerLimit, TimeProvider.System))!;
        }
        catch (Exception e) when (e is IOException or ChannelClosedException)
        {
            throw new InvalidOperationException("A measured process ended.", e);
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>Ends it as a crash would.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Asks it to stop, as Ctrl-C and Kubernetes do.</summary>
    public Task TerminateAsync() => Shell("kill -s TERM \"$1\"");

    /// <summary>
    /// Stops its clock for a while. Who thaws it is a process of its own,
    /// so that nothing stays frozen when this one is killed meanwhile.
    /// </summary>
    public Task FreezeAsync(TimeSpan length) => Shell($"kill -s STOP \"$1\"; sleep {length.TotalSeconds:0.###}; kill -s CONT \"$1\"");

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
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
        _asking.Dispose();
    }

    private async Task Shell(string script)
    {
        using var shell = Process.Start("sh", ["-c", script, "sh", $"{_process.Id}"]);
        await shell.WaitForExitAsync();
    }

    private void Receive(object sender, DataReceivedEventArgs received)
    {
        if (received.Data is not { } line)
        {
            _answers.Writer.TryComplete();
        }
        else if (line.StartsWith(HostRole.AnswerMark, StringComparison.Ordinal))
        {
            // Its console log shares the stream.
            _answers.Writer.TryWrite(line[HostRole.AnswerMark.Length..]);
        }
        else
        {
            Remember(line);
        }
    }

    private void Remember(string? line)
    {
        lock (_lastLines)
        {
            _log?.WriteLine(line);
            _lastLines.Enqueue(line ?? "");
            if (_lastLines.Count > 20)
            {
                _lastLines.Dequeue();
            }
        }
    }

    private static async Task<ChildProcess> UntilAnswersAsync(
        ChildProcess child, string address, bool anyStatus, CancellationToken cancellationToken)
    {
        try
        {
            await child.UntilAnswersAsync(address, anyStatus, cancellationToken);
            return child;
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    private async Task UntilAnswersAsync(string address, bool anyStatus, CancellationToken cancellationToken)
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
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                // Not there yet.
            }

            if (_process.HasExited || TimeProvider.System.GetElapsedTime(began) > _startLimit)
            {
                throw new InvalidOperationException(
                    $"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} did not answer at {address}.\n"
                    + string.Join('\n', _lastLines));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }
    }
}
