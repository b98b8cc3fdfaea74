using System.Diagnostics;
using AgentPlatform.Benchmarks.Processes;

namespace AgentPlatform.Benchmarks.Peers;

/// <summary>The npm package @portkey-ai/gateway, a plain HTTP gateway for language models, fetched once into a cache folder.</summary>
internal static class Portkey
{
    private const string Package = "@portkey-ai/gateway";
    private const string Version = "1.15.2";

    /// <summary>Headers that send a request on to the server at <paramref name="upstreamPort"/>.</summary>
    public static string Headers(int upstreamPort) =>
        $"Authorization: Bearer none\r\nx-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:{upstreamPort}/v1\r\n";

    /// <summary>Starts it; null, with the reason on the console, where node, npm or the package are not available.</summary>
    public static async Task<ChildProcess?> StartAsync(int port, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.Create), ".cache",
            "agentplatform-benchmarks", $"portkey-{Version}");
        var script = Path.Combine(folder, "node_modules", Package, "build", "start-server.js");
        if (!File.Exists(script) && !await InstallAsync(folder, cancellationToken))
        {
            Console.WriteLine($"{Package} is left out: npm could not install it.");
            return null;
        }

        return await ChildProcess.StartAsync("node", [script, "--headless", $"--port={port}"], port, cancellationToken);
    }

    private static async Task<bool> InstallAsync(string folder, CancellationToken cancellationToken)
    {
        Console.WriteLine($"Fetching {Package} {Version} with npm ...");
        Directory.CreateDirectory(folder);
        try
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", [
                "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts",
                $"{Package}@{Version}"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            _ = npm.StandardOutput.ReadToEndAsync(cancellationToken);
            _ = npm.StandardError.ReadToEndAsync(cancellationToken);
            await npm.WaitForExitAsync(cancellationToken);
            return npm.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
