using System.Collections.Concurrent;

namespace AgentPlatform.Tests.Kubernetes.Helm;

/// <summary>What <c>helm template</c> makes of a chart, once for each set of values in a run.</summary>
internal static class HelmTemplate
{
    private static readonly ConcurrentDictionary<string, Lazy<Task<EndedProcess>>> _made = new(StringComparer.Ordinal);

    /// <param name="folder">Folder of Chart.yaml; what is in it does not change.</param>
    /// <param name="settings">As in <see cref="ChartScenarios"/>.</param>
    public static Task<EndedProcess> RunAsync(string folder, params string[] settings) =>
        _made.GetOrAdd(string.Join('\n', [folder, .. settings]), _ => new(() => RenderAsync(folder, settings))).Value;

    private static async Task<EndedProcess> RenderAsync(string folder, string[] settings)
    {
        using var programs = new HelmPrograms();
        return await programs.HelmAsync(
            ["template", Chart.Release, folder, "--namespace", Chart.Namespace, .. HelmSettings.Arguments(settings)]);
    }
}
