using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Asking.Admission;

/// <summary>
/// What a gateway lets into the queues; configuration section <c>Messaging:Admission</c>. All of it holds for each gateway and each queue.
/// </summary>
public sealed class AdmissionOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Messaging:Admission";

    /// <summary>
    /// How much of the time that a request has left for waiting may be needed for it: estimates err, and an answer that comes just too late
    /// is the dearest of all.
    /// </summary>
    [Range(0.1, 1.0)]
    public double DeadlineShare { get; set; } = 0.75;

    /// <summary>How many requests a second a pool is expected to begin of which nothing was ever measured.</summary>
    [Range(0.01, 1_000_000)]
    public double InitialPace { get; set; } = 25;

    /// <summary>
    /// How many requests may wait at least while the pool's pace is not known, however short their deadlines: the backlog by which KEDA
    /// starts workers. A pool needs <c>JobsPerReplica</c> x <c>MaxReplicas</c> of all gateways together to grow to its full size at once.
    /// </summary>
    [Range(1, 1_000_000)]
    public int InitialBacklog { get; set; } = 50;

    /// <summary>Most bytes of requests that may wait. A quarter of it is left to small requests.</summary>
    [Range(1024 * 1024, 64L * 1024 * 1024 * 1024)]
    public long MaxWaitingBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Up to which size in bytes a request is a small one.</summary>
    [Range(1024, int.MaxValue)]
    public int SmallRequestSize { get; set; } = 64 * 1024;

    /// <summary>Longest time after which a refused client is asked back.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromMinutes(1);
}

[OptionsValidator]
internal sealed partial class AdmissionOptionsValidator : IValidateOptions<AdmissionOptions>;
