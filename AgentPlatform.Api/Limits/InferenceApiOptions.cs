using System.ComponentModel.DataAnnotations;
using AgentPlatform.Inference;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Limits;

/// <summary>Limits of the HTTP surface; configuration section <c>Api</c>.</summary>
public sealed class InferenceApiOptions : IValidatableObject
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Api";

    /// <summary>
    /// Largest request body in bytes. The default is for text: 128,000 tokens are half a megabyte of English, and three quarters where each
    /// is a character that JSON escapes. Images in messages need more; RabbitMQ 4 refuses messages above 16 MiB by default.
    /// </summary>
    [Range(1024, 128 * 1024 * 1024)]
    public int MaxBodySize { get; set; } = 2 * 1024 * 1024;

    /// <summary>Most bytes of request bodies that are held for requests in progress. A quarter is kept free for small bodies.</summary>
    [Range(1024, 64L * 1024 * 1024 * 1024)]
    public long MaxTotalBodySize { get; set; } = MemoryShare.OfBodies(MemoryShare.Available);

    /// <summary>How long a client may take to send a body.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:29:00")]
    public TimeSpan BodyTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Bytes per second that a client must send of a body, and read of an answer that waits for it, on an average.</summary>
    [Range(1, 1024 * 1024)]
    public int MinDataRate { get; set; } = 1024;

    /// <summary>How long <see cref="MinDataRate"/> may be missed. The server looks once a second.</summary>
    [Range(typeof(TimeSpan), "00:00:01.100", "00:05:00")]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a request may take whose client does not say it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:29:00")]
    public TimeSpan DefaultDeadline { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The most that a client can ask for with <c>x-request-timeout</c>. Below RabbitMQ's consumer timeout of 30 minutes, after which a job
    /// is taken from its worker.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:29:00")]
    public TimeSpan MaxDeadline { get; set; } = TimeSpan.FromMinutes(25);

    /// <summary>After how much silence a stream that has begun carries a comment, so that no proxy takes it for dead.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Most requests in one <c>/batch</c>.</summary>
    [Range(1, 10_000)]
    public int MaxBatchItems { get; set; } = 256;

    /// <summary>How many things a request may hold.</summary>
    [ValidateObjectMembers(typeof(RequestLimitsValidator))]
    public RequestLimits Limits { get; set; } = new();

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxBodySize > MaxTotalBodySize)
        {
            yield return new ValidationResult($"{Section}:{nameof(MaxTotalBodySize)} must be at least {Section}:{nameof(MaxBodySize)}.",
                [nameof(MaxTotalBodySize)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class InferenceApiOptionsValidator : IValidateOptions<InferenceApiOptions>;
