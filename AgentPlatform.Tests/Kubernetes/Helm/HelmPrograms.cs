using System.Diagnostics;

namespace AgentPlatform.Tests.Kubernetes.Helm;

/// <summary>
/// Real <c>helm</c> and <c>kubectl</c>, as eng/install-helm.sh gets them, with a home folder of their own: nothing of this machine's clusters,
/// plugins and caches is read or written.
/// </summary>
internal sealed class HelmPrograms : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(3);
    private static readonly Lazy<Task<string>> _programs = new(static async () => (await RunAsync(Path.Combine(Repository.Root, "eng", "install-helm.sh"), [], null)).Checked().Trim());

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("agentplatform-helm-");

    public Task<Ended> HelmAsync(params string[] arguments) => RunAsync("helm", arguments);

    public Task<Ended> KubectlAsync(params string[] arguments) => RunAsync("kubectl", arguments);

    /// <summary>Makes them ask this cluster from now on.</summary>
    public Task UseAsync(Uri cluster) => File.WriteAllTextAsync(KubeConfig, $$"""
        apiVersion: v1
        kind: Config
        clusters: [{ name: test, cluster: { server: "{{cluster}}" } }]
        contexts: [{ name: test, context: { cluster: test, namespace: default } }]
        current-context: test
        """);

    public void Dispose() => _home.Delete(recursive: true);

    private string KubeConfig => Path.Combine(_home.FullName, "config");

    private async Task<Ended> RunAsync(string program, string[] arguments) => await RunAsync(Path.Combine(await _programs.Value, program), arguments, _home.FullName);

    private static async Task<Ended> RunAsync(string program, string[] arguments, string? home)
    {
        var start = TiedProcess.StartInfo(program, arguments);
        if (home is not null)
        {
            (start.Environment["HOME"], start.Environment["KUBECONFIG"]) = (home, Path.Combine(home, "config"));
            foreach (var variable in start.Environment.Keys.Where(name => name.StartsWith("HELM_", StringComparison.Ordinal) || name.StartsWith("XDG_", StringComparison.Ordinal)).ToList())
            {
                start.Environment.Remove(variable);
            }
        }

        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(_limit);
        }
        catch (TimeoutException)
        {
            process.Kill();
            throw;
        }

        return new($"{Path.GetFileName(program)} {string.Join(' ', arguments)}", process.ExitCode, await output, await errors);
    }

    /// <summary>A program that has ended.</summary>
    internal sealed record Ended(string Command, int ExitCode, string Output, string Errors)
    {
        /// <summary>What it wrote, if it ended well.</summary>
        public string Checked()
        {
            Assert.True(ExitCode == 0, $"{Command} ended with {ExitCode}: {Output}{Errors}");
            return Output;
        }

        /// <summary>What it complained about, if it did not.</summary>
        public string Refused()
        {
            Assert.True(ExitCode != 0, $"{Command} ended well: {Output}{Errors}");
            return Errors;
        }
    }
}
