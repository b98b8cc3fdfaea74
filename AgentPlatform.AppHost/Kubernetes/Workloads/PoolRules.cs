using System.Globalization;
using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>
/// Rejects options of a published pool that contradict each other, before anything is written. Each message is one sentence that names the
/// pool and the option.
/// </summary>
internal static partial class PoolRules
{
    // Pods are named POOL-deployment-HASH-RANDOM, and the name of a pod is a label, which has at most 63 characters.
    private const int LongestName = 40;

    /// <summary>Checks the options of a pool.</summary>
    /// <exception cref="StartupException">Options contradict each other, or Kubernetes does not accept the name.</exception>
    public static void Check(string name, PoolOptions options, EngineFacts engine)
    {
        if ((NameProblem(name) ?? ScalingProblem(name, options) ?? GpuProblem(name, options, engine) ?? WeightsProblem(name, options))
            is { } problem)
        {
            throw new StartupException(problem);
        }
    }

    /// <summary>Checks the options of a pool against the server that is published beside its workers.</summary>
    /// <exception cref="StartupException">The server cannot run with these options.</exception>
    public static void Check(string name, PoolOptions options, EngineServer server)
    {
        if (server.NeedsGpu && options.Gpus == 0)
        {
            throw new StartupException($"{Key(name, "Gpus")} is 0, and {server.Product} computes with CUDA only.");
        }

        if (server.ModelFolder is not null && options.Weights is not (WeightsSource.Claim or WeightsSource.OciImage))
        {
            throw new StartupException(
                $"{Key(name, "Weights")} is {options.Weights}: {server.Product} reads its model from a volume, "
                + "so it must be Claim or OciImage.");
        }
    }

    private static string Key(string pool, string option) => $"{PoolOptions.Section}:{pool}:{option}";

    private static string? NameProblem(string name) => Name().IsMatch(name) && name.Length <= LongestName ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"The pool '{name}' cannot be published: its name must be up to {LongestName} lower-case letters, digits and hyphens, "
        + $"and begin with a letter; clients may know it by another one ({Key(name, "Model")}).");

    private static string? ScalingProblem(string name, PoolOptions options)
    {
        if (options.MinReplicas > options.MaxReplicas)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{Key(name, "MinReplicas")} is {options.MinReplicas}, above {Key(name, "MaxReplicas")} ({options.MaxReplicas}).");
        }

        var untilDrained = StopTimes.PreStop + options.DrainTimeout;
        return options.GracePeriod is { } grace && grace <= untilDrained
            ? $"{Key(name, "GracePeriod")} is {grace}, not above the {untilDrained} that {Key(name, "DrainTimeout")} "
                + "and the pause before it take."
            : null;
    }

    private static string? GpuProblem(string name, PoolOptions options, EngineFacts engine) => options switch
    {
        _ when !engine.TakesExecutionProvider => null,
        { ExecutionProvider: "cuda", Gpus: 0 } => $"{Key(name, "ExecutionProvider")} is cuda, and {Key(name, "Gpus")} is 0.",
        { ExecutionProvider: "cpu", Gpus: > 0 } => string.Create(
            CultureInfo.InvariantCulture,
            $"{Key(name, "Gpus")} is {options.Gpus}, and {Key(name, "ExecutionProvider")} is cpu: nothing would use them."),
        _ => null,
    };

    private static string? WeightsProblem(string name, PoolOptions options) => options.Weights switch
    {
        WeightsSource.Claim when string.IsNullOrEmpty(options.WeightsClaim) =>
            $"{Key(name, "Weights")} is Claim: {Key(name, "WeightsClaim")} must name a PersistentVolumeClaim.",
        WeightsSource.OciImage when string.IsNullOrEmpty(options.WeightsImage) =>
            $"{Key(name, "Weights")} is OciImage: {Key(name, "WeightsImage")} must name an image.",
        WeightsSource.Download when options.WeightsAddress is null || options.WeightsSha256 is null =>
            $"{Key(name, "Weights")} is Download: {Key(name, "WeightsAddress")} and {Key(name, "WeightsSha256")} must be set.",
        _ => null,
    };

    [GeneratedRegex("^[a-z]([a-z0-9-]*[a-z0-9])?$")]
    private static partial Regex Name();
}
