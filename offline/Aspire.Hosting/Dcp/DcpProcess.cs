using System.Diagnostics;
using System.Globalization;

namespace Aspire.Hosting.Dcp;

/// <summary>Starts the orchestrator. It watches this process and ends all others when this one is gone, however it ended.</summary>
internal static class DcpProcess
{
    private static readonly TimeSpan _startLimit = TimeSpan.FromSeconds(30);

    // Settings of the application host that must not reach its children.
    private static readonly string[] _notInherited = ["ASPNETCORE_URLS", "DOTNET_LAUNCH_PROFILE", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"];

    public static async Task<DcpClient> StartAsync(string dcpPath, TimeProvider time, CancellationToken cancellationToken)
    {
        var session = Directory.CreateTempSubdirectory("aspire-dcp");
        var kubeconfig = Path.Combine(session.FullName, "kubeconfig");
        var log = Path.Combine(session.FullName, "dcp.log");

        // Through a shell that gives it a file to write to: as a detached process it outlives any pipe.
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = session.FullName };
        foreach (var argument in (string[])[
            "-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", log,
            dcpPath, "start-apiserver", "--monitor", Environment.ProcessId.ToString(CultureInfo.InvariantCulture), "--detach", "--kubeconfig", kubeconfig])
        {
            start.ArgumentList.Add(argument);
        }

        // DCP deletes this folder when it ends.
        start.Environment["DCP_SESSION_FOLDER"] = session.FullName;
        foreach (var name in _notInherited)
        {
            start.Environment.Remove(name);
        }

        using var process = Process.Start(start) ?? throw new DistributedApplicationException($"'{dcpPath}' cannot be started.");
        using var limit = new CancellationTokenSource(_startLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            while (true)
            {
                if (File.Exists(kubeconfig) && Parse(await File.ReadAllLinesAsync(kubeconfig, either.Token)) is { } found)
                {
                    return new DcpClient(found.Server, found.Certificate, found.Token, time);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(50), time, either.Token);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var said = File.Exists(log) ? await File.ReadAllTextAsync(log, cancellationToken) : "";
            throw new DistributedApplicationException($"The orchestrator '{dcpPath}' did not start within {_startLimit.TotalSeconds:0} s. {said.Trim()}");
        }
    }

    /// <summary>Reads the three values of a kubeconfig, each on a line <c>key: value</c>; null while it is not written whole.</summary>
    private static (Uri Server, byte[] Certificate, string Token)? Parse(string[] lines)
    {
        return Value("server") is { } server && Value("certificate-authority-data") is { } certificate && Value("token") is { } token
            ? (new Uri(server + "/"), Convert.FromBase64String(certificate), token)
            : null;

        string? Value(string key)
        {
            var line = lines.FirstOrDefault(line => line.TrimStart().StartsWith(key + ":", StringComparison.Ordinal));
            return line is null ? null : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() is { Length: > 0 } value ? value : null;
        }
    }
}
