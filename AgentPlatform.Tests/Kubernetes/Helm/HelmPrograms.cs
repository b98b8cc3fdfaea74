namespace AgentPlatform.Tests.Kubernetes.Helm;

/// <summary>
/// Real <c>helm</c> and <c>kubectl</c>, as eng/install-helm.sh gets them, with a home folder of their own: nothing of this machine's
/// clusters, plugins and caches is read or written.
/// </summary>
internal sealed class HelmPrograms : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(3);
    private static readonly Lazy<Task<string>> _programs = new(
        static async () =>
            (await TiedProcess.RunAsync(_limit, Path.Combine(Repository.Root, "eng", "install-helm.sh"), [])).Checked().Trim());

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("agentplatform-helm-");

    public Task<EndedProcess> HelmAsync(params string[] arguments) => RunAsync("helm", arguments);

    public Task<EndedProcess> KubectlAsync(params string[] arguments) => RunAsync("kubectl", arguments);

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

    private async Task<EndedProcess> RunAsync(string program, string[] arguments) =>
        await TiedProcess.RunAsync(_limit, Path.Combine(await _programs.Value, program), arguments, start =>
        {
            (start.Environment["HOME"], start.Environment["KUBECONFIG"]) = (_home.FullName, KubeConfig);
            foreach (var variable in start.Environment.Keys
                .Where(name => name.StartsWith("HELM_", StringComparison.Ordinal) || name.StartsWith("XDG_", StringComparison.Ordinal))
                .ToList())
            {
                start.Environment.Remove(variable);
            }
        });
}
