using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dcp;

/// <summary>The real orchestrator and the real dashboard, unpacked on this machine.</summary>
/// <param name="Dcp">Path of the program <c>dcp</c>.</param>
/// <param name="Dashboard">Path of the program <c>aspire-managed</c>.</param>
internal sealed record AspireBundle(string Dcp, string Dashboard)
{
    private const string Version = "13.5.4";

    private static DirectoryInfo Versions => new(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aspire", "versions"));

    /// <summary>
    /// Where the settings say, else where the Aspire command line has unpacked itself, else fetched from npm (127 MB, once): the package's single
    /// binary unpacks both programs, which are kept under <c>~/.aspire/versions</c>.
    /// </summary>
    public static async Task<AspireBundle> FindOrFetchAsync(IConfiguration configuration, ILogger logger, CancellationToken cancellationToken)
    {
        var unpacked = FindUnpacked();
        var dcp = Configured(configuration, "DcpPublisher:CliPath", "ASPIRE_DCP_PATH", "dcpclipath", "dcp") ?? unpacked?.Dcp;
        var dashboard = Configured(configuration, "DcpPublisher:DashboardPath", "ASPIRE_DASHBOARD_PATH", "aspiredashboardpath", "aspire-managed") ?? unpacked?.Dashboard;
        return dcp is not null && dashboard is not null
            ? new AspireBundle(dcp, dashboard)
            : await FetchAsync(logger, cancellationToken);
    }

    private static string? Configured(IConfiguration configuration, string key, string variable, string metadata, string program)
    {
        var setting = configuration[key] ?? configuration[variable]
            ?? Assembly.GetEntryAssembly()?.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(m => string.Equals(m.Key, metadata, StringComparison.OrdinalIgnoreCase))?.Value;
        if (string.IsNullOrEmpty(setting))
        {
            return null;
        }

        var path = Directory.Exists(setting) ? Path.Combine(setting, program) : setting;
        return File.Exists(path) ? path : throw new DistributedApplicationException($"There is no file '{path}', which '{key}' or '{variable}' names.");
    }

    private static AspireBundle? FindUnpacked()
    {
        return !Versions.Exists ? null : Versions.EnumerateDirectories()
            .OrderByDescending(version => version.LastWriteTimeUtc)
            .Select(version => new AspireBundle(Path.Combine(version.FullName, "dcp", "dcp"), Path.Combine(version.FullName, "managed", "aspire-managed")))
            .FirstOrDefault(bundle => File.Exists(bundle.Dcp) && File.Exists(bundle.Dashboard));
    }

    private static async Task<AspireBundle> FetchAsync(ILogger logger, CancellationToken cancellationToken)
    {
        var system = OperatingSystem.IsMacOS() ? "osx" : "linux";
        var architecture = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        var package = $"@microsoft/aspire-cli-{system}-{architecture}@{Version}";
        Log.Fetching(logger, package);

        // Beside its place, so that one move puts it there whole: two application hosts may fetch at the same time.
        var folder = Directory.CreateDirectory(Path.Combine(Versions.Parent!.FullName, $"fetch-{Environment.ProcessId}"));
        try
        {
            await RunAsync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", folder.FullName, package], package, cancellationToken);
            var fetched = Path.Combine(folder.FullName, "node_modules", package[..package.LastIndexOf('@')]);
            await RunAsync(Path.Combine(fetched, "bin", "aspire"), ["setup", "--non-interactive", "--nologo"], package, cancellationToken);
            MoveIntoPlace(new DirectoryInfo(Path.Combine(fetched, "versions")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return FindUnpacked() ?? throw Missing(package, "it did not unpack");
    }

    /// <summary>The command line unpacks beside itself when it comes from npm.</summary>
    private static void MoveIntoPlace(DirectoryInfo unpacked)
    {
        Versions.Create();
        foreach (var version in unpacked.Exists ? unpacked.EnumerateDirectories() : [])
        {
            var place = Path.Combine(Versions.FullName, version.Name);
            if (!Directory.Exists(place))
            {
                version.MoveTo(place);
            }
        }
    }

    private static async Task RunAsync(string program, string[] arguments, string package, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["ASPIRE_CLI_TELEMETRY_OPTOUT"] = "true";
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await process.WaitForExitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }

            if (process.ExitCode != 0)
            {
                var said = (await error).Trim() is { Length: > 0 } text ? text : (await output).Trim();
                throw Missing(package, $"'{Path.GetFileName(program)}' said: {said.Split('\n')[0]}");
            }
        }
        catch (Win32Exception e)
        {
            throw Missing(package, e.Message);
        }
    }

    private static DistributedApplicationException Missing(string package, string reason) => new(
        $"The Aspire orchestrator and dashboard are not on this machine and cannot be fetched ({reason}). Install the npm package {package} and run its "
        + "'aspire setup' once, or set ASPIRE_DCP_PATH and ASPIRE_DASHBOARD_PATH.");
}
