using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>
/// The options of a pool. The line of AppHost.cs that adds the pool sets those that depend on the model; the configuration section
/// <c>Pools:NAME</c> overrides them. <see cref="Server"/>, <see cref="UpstreamModel"/> and <see cref="Lifetime"/> are for local runs;
/// most of the others are for published pools.
/// </summary>
internal sealed class PoolOptions
{
    /// <summary>Name of the configuration section that contains the pools' sections.</summary>
    public const string Section = "Pools";

    /// <summary>The message for an invalid <see cref="Server"/>, after the key.</summary>
    public const string ServerRule = "must be the base address of a running server, such as http://localhost:8000/v1.";

    /// <summary>
    /// Address of a running server that a local run uses instead of the pool's own model or container: an OpenAI-compatible one with the
    /// version, such as <c>http://localhost:8081/v1</c>, or a Triton. The parameter <c>NAME-api-key</c> is its API key.
    /// </summary>
    [RegularExpression("https?://.+", ErrorMessage = ServerRule)]
    public string? Server { get; set; }

    /// <summary>Name of the model at that server; the pool's name if unset.</summary>
    public string? UpstreamModel { get; set; }

    /// <summary>
    /// Whether the server's container of a local run keeps running after it, with the model loaded (<c>Persistent</c>), or stops with it
    /// (<c>Session</c>).
    /// </summary>
    public ContainerLifetime Lifetime { get; set; } = ContainerLifetime.Session;

    /// <summary>Name of the model for clients; the pool's name if unset.</summary>
    [RegularExpression(
        "[A-Za-z0-9][A-Za-z0-9._-]{0,99}", ErrorMessage = "must be up to 100 letters, digits, dots, dashes and underscores.")]
    public string? Model { get; set; }

    /// <summary>Version of the model. Each version is a pool with a queue of its own.</summary>
    [RegularExpression("[A-Za-z0-9][A-Za-z0-9_-]{0,49}", ErrorMessage = "must be up to 50 letters, digits, dashes and underscores.")]
    public string Version { get; set; } = "1";

    /// <summary>GPUs of each replica.</summary>
    [Range(0, 16)]
    public int Gpus { get; set; }

    /// <summary>Name of the GPU resource in the cluster, such as <c>nvidia.com/mig-1g.10gb</c> for a part of a GPU.</summary>
    [Required(ErrorMessage = "must name a resource of the cluster, such as nvidia.com/gpu.")]
    public string GpuResource { get; set; } = "nvidia.com/gpu";

    /// <summary>Execution provider of the <c>onnx-*</c> engines: <c>cpu</c> or <c>cuda</c>.</summary>
    [RegularExpression("cpu|cuda", ErrorMessage = "must be cpu or cuda.")]
    public string ExecutionProvider { get; set; } = "cpu";

    /// <summary>CPU request of each worker.</summary>
    [RegularExpression(@"\d+m|\d+(\.\d+)?", ErrorMessage = "must be a number of processors, such as 2 or 500m.")]
    public string Cpu { get; set; } = "500m";

    /// <summary>Memory request and limit of each worker.</summary>
    [RegularExpression(@"\d+(Ki|Mi|Gi|Ti)", ErrorMessage = "must be a size, such as 512Mi or 16Gi.")]
    public string Memory { get; set; } = "1Gi";

    /// <summary>CPU request of the server beside each worker.</summary>
    [RegularExpression(@"\d+m|\d+(\.\d+)?", ErrorMessage = "must be a number of processors, such as 2 or 500m.")]
    public string ServerCpu { get; set; } = "2";

    /// <summary>Memory request and limit of the server beside each worker.</summary>
    [RegularExpression(@"\d+(Ki|Mi|Gi|Ti)", ErrorMessage = "must be a size, such as 512Mi or 16Gi.")]
    public string ServerMemory { get; set; } = "8Gi";

    /// <summary>Size of that server's shared memory, which is part of its memory limit.</summary>
    [RegularExpression(@"\d+(Ki|Mi|Gi|Ti)", ErrorMessage = "must be a size, such as 512Mi or 16Gi.")]
    public string SharedMemory { get; set; } = "2Gi";

    /// <summary>Host names from which vLLM may download images that messages refer to; none by default.</summary>
    public IList<string> MediaDomains { get; } = [];

    /// <summary>Number of requests that a worker runs concurrently; the engine's default if unset.</summary>
    [Range(1, 65_535)]
    public int? Slots { get; set; }

    /// <summary>Number of jobs, waiting or running, per replica: with 10, 50 jobs scale to 5 replicas.</summary>
    [Range(1, 1_000_000)]
    public int JobsPerReplica { get; set; } = 10;

    /// <summary>Minimum number of replicas, also without jobs.</summary>
    [Range(0, 10_000)]
    public int MinReplicas { get; set; }

    /// <summary>Maximum number of replicas.</summary>
    [Range(1, 10_000)]
    public int MaxReplicas { get; set; } = 5;

    /// <summary>How often KEDA checks the queue while there are no replicas.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan PollingInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long fewer replicas must have been sufficient before a pool is scaled down.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan Cooldown { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a worker may take to load its model.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "06:00:00")]
    public TimeSpan StartupTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a worker that is stopping may take to finish its jobs.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The pod's grace period; by default the drain timeout and the time for the steps before and after it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "02:00:00")]
    public TimeSpan? GracePeriod { get; set; }

    /// <summary>Whether workers report to the cluster's API how busy they are, so that scaling down removes idle ones first.</summary>
    public bool DeletionCost { get; set; } = true;

    /// <summary>Whether an update starts a new pod before it stops an old one; by default if the pool needs no GPUs.</summary>
    public bool? Surge { get; set; }

    /// <summary>Where the model comes from.</summary>
    public WeightsSource Weights { get; set; }

    /// <summary>
    /// Name of a PersistentVolumeClaim: for <see cref="WeightsSource.Claim"/> the one that contains the files; for
    /// <see cref="WeightsSource.Download"/>, and for servers that download their model, a cache for all replicas. Without it each replica
    /// downloads the model.
    /// </summary>
    public string? WeightsClaim { get; set; }

    /// <summary>The image for <see cref="WeightsSource.OciImage"/>.</summary>
    public string? WeightsImage { get; set; }

    /// <summary>Address of the <c>SHA256SUMS</c> for <see cref="WeightsSource.Download"/>.</summary>
    [RegularExpression("https?://.+", ErrorMessage = "must be the http(s) address of the model's SHA256SUMS.")]
    public string? WeightsAddress { get; set; }

    /// <summary>SHA-256 digest of that <c>SHA256SUMS</c>.</summary>
    [RegularExpression("[0-9A-Fa-f]{64}", ErrorMessage = "must be the 64 hexadecimal digits that 'sha256sum SHA256SUMS' prints.")]
    public string? WeightsSha256 { get; set; }

    /// <summary>Size limit of a replica's volume for a downloaded model.</summary>
    [RegularExpression(@"\d+(Ki|Mi|Gi|Ti)", ErrorMessage = "must be a size, such as 512Mi or 16Gi.")]
    public string WeightsSize { get; set; } = "50Gi";
}

[OptionsValidator]
internal sealed partial class PoolOptionsValidator : IValidateOptions<PoolOptions>;
