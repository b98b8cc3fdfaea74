using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using AgentPlatform.Testing.Broker;

namespace AgentPlatform.Tests.AppHost;

/// <summary>The whole platform as a user starts it: the built application host in its own process, on its own ports.</summary>
internal sealed partial class PlatformProcess : IAsyncDisposable
{
    private const string Marker = "AGENTPLATFORM_TEST_RUN";

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(4);

    private readonly string _mark = Guid.NewGuid().ToString("N");
    private readonly string _folder = Directory.CreateTempSubdirectory("agentplatform-apphost-").FullName;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource<(Uri Gateway, Uri Dashboard)> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;

    private PlatformProcess(
        IEnumerable<string> arguments, int? gatewayPort = null, params IEnumerable<(string Name, string Value)> variables)
    {
        GatewayPort = gatewayPort ?? RabbitMQNode.FreePort();
        int dashboard = RabbitMQNode.FreePort(), telemetry = RabbitMQNode.FreePort(), resources = RabbitMQNode.FreePort();
        Ports = [GatewayPort, dashboard, telemetry, resources];

        // Only the application host and its children get the variable.
        var start = TiedProcess.StartInfo("env", [$"{Marker}={_mark}", Program(), .. arguments]);
        start.WorkingDirectory = _folder;
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_URLS"] = $"http://localhost:{dashboard}";
        start.Environment["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://localhost:{telemetry}";
        start.Environment["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = $"http://localhost:{resources}";
        start.Environment["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
        start.Environment["Gateway__Port"] = $"{GatewayPort}";
        start.Environment["Broker__DataFolder"] = Path.Combine(_folder, "messaging");
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Root of the repository.</summary>
    public static string Root { get; } = FindRoot();

    public int GatewayPort { get; }

    /// <summary>Fixed ports of the run: gateway, dashboard, telemetry, resource service.</summary>
    public IReadOnlyList<int> Ports { get; }

    public int Id => _process.Id;

    /// <summary>Everything that the application host has written so far.</summary>
    public string Output => string.Join('\n', _lines);

    public static PlatformProcess Start(params string[] arguments) => new(arguments);

    public static PlatformProcess StartIn((string Name, string Value) variable, params string[] arguments) =>
        new(arguments, variables: variable);

    public static PlatformProcess StartAt(int gatewayPort, params string[] arguments) => new(arguments, gatewayPort);

    /// <summary>Waits for the ready line; returns the addresses of the gateway and of the dashboard, with its login token.</summary>
    public async Task<(Uri Gateway, Uri Dashboard)> ReadyAsync()
    {
        var ended = _process.WaitForExitAsync();
        return await Task.WhenAny(_ready.Task, ended).WaitAsync(_limit) == ended && !_ready.Task.IsCompleted
            ? throw new InvalidOperationException($"The application host ended with exit code {_process.ExitCode}:\n{Output}")
            : await _ready.Task;
    }

    /// <summary>Waits until the application host exits; returns the exit code.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(_limit);
        return _process.ExitCode;
    }

    /// <summary>Sends the application host the signal to stop.</summary>
    public void Terminate() => Signal("-TERM");

    /// <summary>Kills the application host.</summary>
    public void Kill() => Signal("-KILL");

    /// <summary>All running processes of this run. Each inherits a variable that identifies the run.</summary>
    public IReadOnlyList<(int Id, string[] Environment)> Members() =>
        [.. Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), out var id) ? id : 0)
            .Where(id => id > 0)
            .Select(id => (id, EnvironmentOf(id)))
            .Where(process => process.Item2.Contains($"{Marker}={_mark}"))];

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Terminate();
            await EndAsync();
        }

        _process.Dispose();
        await Wait.UntilAsync(() => Members().Count == 0);
        Directory.Delete(_folder, recursive: true);
    }

    private static string[] EnvironmentOf(int id)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{id}/environ")).Split('\0');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The process has exited in the meantime, or belongs to another user.
            return [];
        }
    }

    // "AgentPlatform is ready: gateway http://localhost:8080, dashboard http://localhost:15135/login?t=c76c655d"
    [GeneratedRegex(@"^AgentPlatform is ready: gateway (\S+), dashboard (\S+)$")]
    private static partial Regex ReadyLine();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "AgentPlatform.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        }

        return folder.FullName;
    }

    // In the application host's output folder, which has the same path below its project as the tests' own: bin/Debug/net10.0.
    private static string Program() => Path.Combine(
        Root,
        "AgentPlatform.AppHost",
        Path.GetRelativePath(Path.Combine(Root, "AgentPlatform.Tests"), AppContext.BaseDirectory),
        "AgentPlatform.AppHost");

    private void Read(string? line)
    {
        if (line is null)
        {
            return;
        }

        _lines.Enqueue(line);
        if (ReadyLine().Match(line) is { Success: true } match)
        {
            _ready.TrySetResult((new Uri(match.Groups[1].Value), new Uri(match.Groups[2].Value)));
        }
    }

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{_process.Id}"]);
        kill.WaitForExit();
    }
}
