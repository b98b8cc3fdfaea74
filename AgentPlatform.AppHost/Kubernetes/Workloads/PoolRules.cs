using System.Globalization;
using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>What does not go together in a pool that is published. Each refusal is one sentence that names pool and option, before anything is written.</summary>
internal static partial class PoolRules
{
    // Pods are named POOL-deployment-HASH-RANDOM, and a name with its label has 63 characters.
    private const int LongestName = 40;

    /// <summary>Checks a pool by itself.</summary>
    /// <exception cref="StartupException">Something does not go together.</exception>
    public static void Check(string name, PoolOptions options, EngineFacts engine)
    {
        string Key(string option) => $"{PoolOptions.Section}:{name}:{option}";
        string? mistake = null;
        if (!Name().IsMatch(name) || name.Length > LongestName)
        {
            mistake = string.Create(CultureInfo.InvariantCulture, $"The pool '{name}' cannot be published: its name must be up to {LongestName} lower-case letters, digits and hyphens, and begin with a letter; clients may know it by another one ({Key("Model")}).");
        }
        else if (options.MinReplicas > options.MaxReplicas)
        {
            mistake = string.Create(CultureInfo.InvariantCulture, $"{Key("MinReplicas")} is {options.MinReplicas}, above {Key("MaxReplicas")} ({options.MaxReplicas}).");
        }
        else if (options.GracePeriod is { } grace && grace <= StopTimes.PreStop + options.DrainTimeout)
        {
            mistake = $"{Key("GracePeriod")} is {grace}, not above the {StopTimes.PreStop + options.DrainTimeout} that {Key("DrainTimeout")} and the pause before it take.";
        }
        else if (engine.TakesExecutionProvider && options is { ExecutionProvider: "cuda", Gpus: 0 })
        {
            mistake = $"{Key("ExecutionProvider")} is cuda, and {Key("Gpus")} is 0.";
        }
        else if (engine.TakesExecutionProvider && options is { ExecutionProvider: "cpu", Gpus: > 0 })
        {
            mistake = string.Create(CultureInfo.InvariantCulture, $"{Key("Gpus")} is {options.Gpus}, and {Key("ExecutionProvider")} is cpu: nothing would use them.");
        }
        else if (Weights(options, Key) is { } weights)
        {
            mistake = weights;
        }

        if (mistake is not null)
        {
            throw new StartupException(mistake);
        }
    }

    /// <summary>Checks a pool with the server that is published beside its workers.</summary>
    /// <exception cref="StartupException">Something does not go together.</exception>
    public static void Check(string name, PoolOptions options, EngineServer server)
    {
        string Key(string option) => $"{PoolOptions.Section}:{name}:{option}";
        if (server.NeedsGpu && options.Gpus == 0)
        {
            throw new StartupException($"{Key("Gpus")} is 0, and {server.Product} computes with CUDA only.");
        }

        if (server.ModelFolder is not null && options.Weights is not (WeightsSource.Claim or WeightsSource.OciImage))
        {
            throw new StartupException($"{Key("Weights")} is {options.Weights}: {server.Product} reads its model from a volume, so it must be Claim or OciImage.");
        }
    }

    private static string? Weights(PoolOptions options, Func<string, string> key) => options.Weights switch
    {
        WeightsSource.Claim when string.IsNullOrEmpty(options.WeightsClaim) => $"{key("Weights")} is Claim: {key("WeightsClaim")} must name a PersistentVolumeClaim.",
        WeightsSource.OciImage when string.IsNullOrEmpty(options.WeightsImage) => $"{key("Weights")} is OciImage: {key("WeightsImage")} must name an image.",
        WeightsSource.Download when options.WeightsAddress is null || options.WeightsSha256 is null =>
            $"{key("Weights")} is Download: {key("WeightsAddress")} and {key("WeightsSha256")} must be set.",
        _ => null,
    };

    [GeneratedRegex("^[a-z]([a-z0-9-]*[a-z0-9])?$")]
    private static partial Regex Name();
}
