using System.Text.Json.Nodes;
using AgentPlatform.Tests.Kubernetes.Api;

namespace AgentPlatform.Tests.Kubernetes.Helm;

/// <summary>Helm and kubectl with a cluster of their own, as far as <see cref="ApiServer"/> is one.</summary>
internal sealed class HelmCluster : IAsyncDisposable
{
    private readonly HelmPrograms _programs = new();
    private readonly ApiServer _server;

    private HelmCluster(ApiServer server) => _server = server;

    public ApiObjects Objects => _server.Objects;

    /// <summary>Whether the cluster has a metrics-server.</summary>
    public bool HasMetrics { set => _server.HasMetrics = value; }

    public static async Task<HelmCluster> StartAsync()
    {
        var cluster = new HelmCluster(await ApiServer.StartAsync());
        await cluster._programs.UseAsync(cluster._server.Address);
        return cluster;
    }

    /// <summary>Runs helm with the release's namespace.</summary>
    public Task<EndedProcess> HelmAsync(params IEnumerable<string> arguments) =>
        _programs.HelmAsync([.. arguments, "--namespace", Chart.Namespace]);

    /// <summary>Runs kubectl with the release's namespace.</summary>
    public Task<EndedProcess> KubectlAsync(params IEnumerable<string> arguments) =>
        _programs.KubectlAsync([.. arguments, "--namespace", Chart.Namespace]);

    public JsonObject Get(string kind, string name) => Objects.Get(Kind(kind), Kind(kind).IsNamespaced ? Chart.Namespace : "", name);

    /// <summary>Names of the objects of the chart's kinds, without what Helm keeps of its releases.</summary>
    public IReadOnlyList<string> Names() =>
        [.. ApiKind.All.Where(kind => kind.Kind != "Namespace")
            .SelectMany(kind => Objects.List(kind, kind.IsNamespaced ? Chart.Namespace : ""))
            .Where(item => (string?)item["type"] != "helm.sh/release.v1")
            .Select(item => $"{item["kind"]} {Chart.Name(item)}").Order(StringComparer.Ordinal)];

    /// <summary>Passwords of the broker's users, by their keys.</summary>
    public Dictionary<string, string> Passwords() => Get("Secret", "messaging-users")["data"]!.AsObject()
        .Where(entry => entry.Key.EndsWith("-password", StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key, entry => (string)entry.Value!);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _programs.Dispose();
    }

    private static ApiKind Kind(string kind) => ApiKind.All.Single(known => known.Kind == kind);
}
