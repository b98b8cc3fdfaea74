namespace AgentPlatform.Tests.Kubernetes.Helm;

/// <summary>The values of <see cref="ChartScenarios"/> on Helm's command line.</summary>
internal static class HelmSettings
{
    public static IEnumerable<string> Arguments(params IEnumerable<string> settings) => ChartScenarios.Images.Concat(settings)
        .SelectMany(setting =>
    {
        var (path, value) = (
            setting[..setting.IndexOf('=', StringComparison.Ordinal)], setting[(setting.IndexOf('=', StringComparison.Ordinal) + 1)..]);
        return value is ['{' or '[' or '"', ..]
            ? (string[])["--set-json", $"{path}={Chart.ParseWhole(value).ToJsonString()}"]
            : ["--set", setting];
    });
}
