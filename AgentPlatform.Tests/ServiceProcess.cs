using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace AgentPlatform.Tests;

/// <summary>
/// A gateway or a worker as a user starts it: a process of its own, of which a test sees what an operator does. What a test looks at from
/// inside is in a <see cref="ServiceHost"/>.
/// </summary>
internal sealed partial class ServiceProcess : IAsyncDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<string> _output = new();
    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServiceProcess(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
        process.OutputDataReceived += (_, line) =>
        {
            _output.Enqueue(line.Data ?? "");
            if (ListeningOn().Match(line.Data ?? "") is { Success: true } match)
            {
                _address.TrySetResult(new Uri(match.Groups[1].Value));
            }
        };
        process.BeginOutputReadLine();
    }

    /// <summary>The lines that it has written to standard output.</summary>
    public IReadOnlyCollection<string> Output => _output;

    public static ServiceProcess Worker(params string[] settings) => Start("AgentPlatform.Worker", [], settings);

    public static ServiceProcess Gateway(params string[] settings) => Start("AgentPlatform.Gateway", [], settings);

    /// <param name="project">The gateway's or the worker's.</param>
    /// <param name="environment">Variables of the environment.</param>
    /// <param name="settings">Such as <c>Model:Name=m</c>. It listens on a port that the system chooses, unless they say otherwise.</param>
    public static ServiceProcess Start(
        string project, IReadOnlyCollection<KeyValuePair<string, string>> environment, params string[] settings)
    {
        var start = TiedProcess.StartInfo("dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, $"{project}.dll"), "--urls=http://127.0.0.1:0",
                .. settings.Select(setting => $"--{setting}"),
            ]);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new(Process.Start(start)!);
    }

    /// <summary>Waits until it says that it is ready, and gives its address.</summary>
    public async Task<Uri> ReadyAsync()
    {
        var address = await _address.Task.WaitAsync(_limit);
        using var http = new HttpClient { BaseAddress = address };
        await Wait.UntilAsync(async () =>
        {
            using var response = await http.GetAsync(new Uri("/health", UriKind.Relative));
            return response.IsSuccessStatusCode;
        });
        return address;
    }

    /// <summary>Waits for its end; what it wrote to standard error and its exit code.</summary>
    public async Task<(int ExitCode, string Errors)> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(_limit);
        return (_process.ExitCode, await _errors);
    }

    /// <summary>Asks it to stop, as Ctrl-C and Kubernetes do.</summary>
    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Ends it as a crash would.</summary>
    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex ListeningOn();
}
