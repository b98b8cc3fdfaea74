using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>
/// What a pool is like. A line of the application host sets what belongs to the model, the configuration section <c>Pools:NAME</c> overrides it.
/// A local run uses <see cref="Server"/> and <see cref="UpstreamModel"/>; the rest shapes what is published.
/// </summary>
internal sealed class PoolOptions
{
    /// <summary>Name of the configuration section, above the pools' names.</summary>
    public const string Section = "Pools";

    /// <summary>What <see cref="Server"/> has to be, behind its key.</summary>
    public const string ServerRule = "must be the base address of a running server, such as http://localhost:8000/v1.";

    /// <summary>
    /// Address of a running server that answers instead of the pool's own model or container: an OpenAI-compatible one with the version, such as
    /// <c>http://localhost:8081/v1</c>, or a Triton. Its key, if it asks for one, is the parameter <c>NAME-api-key</c>.
    /// </summary>
    [RegularExpression("https?://.+", ErrorMessage = ServerRule)]
    public string? Server { get; set; }

    /// <summary>The model's name at that server; the pool's name if unset.</summary>
    public string? UpstreamModel { get; set; }

    /// <summary>
    /// Whether the container that a local run has beside the pool outlives the run, with the model that it has loaded
    /// (<c>Persistent</c>), or ends with it (<c>Session</c>).
    /// </summary>
    public ContainerLifetime Lifetime { get; set; } = ContainerLifetime.Session;

    /// <summary>Name by which clients ask for the model; the pool's name if unset.</summary>
    [RegularExpression("[A-Za-z0-9][A-Za-z0-9._-]{0,99}", ErrorMessage = "must be up to 100 letters, digits, dots, dashes and underscores.")]
    public string? Model { get; set; }

    /// <summary>Version of the model. A pool serves one version, and has its queue to itself.</summary>
    [RegularExpression("[A-Za-z0-9][A-Za-z0-9_-]{0,49}", ErrorMessage = "must be up to 50 letters, digits, dashes and underscores.")]
    public string Version { get; set; } = "1";

    /// <summary>GPUs of each replica.</summary>
    [Range(0, 16)]
    public int Gpus { get; set; }

    /// <summary>The cluster's name of them, such as <c>nvidia.com/mig-1g.10gb</c> for a part of one.</summary>
    [Required(ErrorMessage = "must name a resource of the cluster, such as nvidia.com/gpu.")]
    public string GpuResource { get; set; } = "nvidia.com/gpu";

    /// <summary>Where <c>onnx-*</c> engines compute: <c>cpu</c> or <c>cuda</c>.</summary>
    [RegularExpression("cpu|cuda", ErrorMessage = "must be cpu or cuda.")]
    public string ExecutionProvider { get; set; } = "cpu";

    /// <summary>Processors that each worker needs.</summary>
    [RegularExpression(@"\d+m|\d+(\.\d+)?", ErrorMessage = "must be a number of processors, such as 2 or 500m.")]
    public string Cpu { get; set; } = "500m";

    /// <summary>Memory of each worker.</summary>
    [RegularExpression(@"\d+(Ki|Mi|Gi|Ti)", ErrorMessage = "must be a size, such as 512Mi or 16Gi.")]
    public string Memory { get; set; } = "1Gi";

    /// <summary>Processors that the server beside a worker needs.</summary>
    [RegularExpression(@"\d+m|\d+(\.\d+)?", ErrorMessage = "must be a number of processors, such as 2 or 500m.")]
    public string ServerCpu { get; set; } = "2";

    /// <summary>Memory of the server beside a worker.</summary>
    [RegularExpression(@"\d+(Ki|Mi|Gi|Ti)", ErrorMessage = "must be a size, such as 512Mi or 16Gi.")]
    public string ServerMemory { get; set; } = "8Gi";

    /// <summary>Memory that the processes of that server share; part of its memory.</summary>
    [RegularExpression(@"\d+(Ki|Mi|Gi|Ti)", ErrorMessage = "must be a size, such as 512Mi or 16Gi.")]
    public string SharedMemory { get; set; } = "2Gi";

    /// <summary>Host names from which vLLM may fetch the images that messages name; none by default.</summary>
    public IList<string> MediaDomains { get; } = [];

    /// <summary>Requests that a worker runs at once; the engine's own default if unset.</summary>
    [Range(1, 65_535)]
    public int? Slots { get; set; }

    /// <summary>Jobs, waiting or running, for which there is one replica: with 10, 50 jobs bring 5.</summary>
    [Range(1, 1_000_000)]
    public int JobsPerReplica { get; set; } = 10;

    /// <summary>Replicas that there are without any job.</summary>
    [Range(0, 10_000)]
    public int MinReplicas { get; set; }

    /// <summary>Replicas that there are at most.</summary>
    [Range(1, 10_000)]
    public int MaxReplicas { get; set; } = 5;

    /// <summary>How often the queue is looked at.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan PollingInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long fewer jobs must have been enough for fewer replicas, or none for none.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan Cooldown { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a worker may take to load its model.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "06:00:00")]
    public TimeSpan StartupTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a worker that is stopped goes on with what it runs.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the cluster lets it; by default what the drain and its surroundings take.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "02:00:00")]
    public TimeSpan? GracePeriod { get; set; }

    /// <summary>Whether workers tell the cluster, by its API, how busy they are, so that fewer replicas take idle ones away.</summary>
    public bool DeletionCost { get; set; } = true;

    /// <summary>Whether a new version's pod starts before an old one's ends; by default where that takes no GPU besides those in use.</summary>
    public bool? Surge { get; set; }

    /// <summary>Where the model is.</summary>
    public WeightsSource Weights { get; set; }

    /// <summary>
    /// Name of a PersistentVolumeClaim: with the files for <see cref="WeightsSource.Claim"/>; for <see cref="WeightsSource.Download"/> and servers
    /// that fetch their model, where all replicas keep it. Without one each replica fetches it anew.
    /// </summary>
    public string? WeightsClaim { get; set; }

    /// <summary>The image for <see cref="WeightsSource.OciImage"/>.</summary>
    public string? WeightsImage { get; set; }

    /// <summary>Address of the <c>SHA256SUMS</c> for <see cref="WeightsSource.Download"/>.</summary>
    [RegularExpression("https?://.+", ErrorMessage = "must be the http(s) address of the model's SHA256SUMS.")]
    public string? WeightsAddress { get; set; }

    /// <summary>The digest of that list.</summary>
    [RegularExpression("[0-9A-Fa-f]{64}", ErrorMessage = "must be the 64 hexadecimal digits that 'sha256sum SHA256SUMS' prints.")]
    public string? WeightsSha256 { get; set; }

    /// <summary>Room for what a replica fetches.</summary>
    [RegularExpression(@"\d+(Ki|Mi|Gi|Ti)", ErrorMessage = "must be a size, such as 512Mi or 16Gi.")]
    public string WeightsSize { get; set; } = "50Gi";
}

[OptionsValidator]
internal sealed partial class PoolOptionsValidator : IValidateOptions<PoolOptions>;
