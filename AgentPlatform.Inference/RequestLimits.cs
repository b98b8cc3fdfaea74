using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Inference;

/// <summary>
/// How many things one request may hold, since each takes many times its bytes once it is read; configuration section <c>Api:Limits</c>.
/// Gateway and workers check them alike, before anything is done with the request.
/// </summary>
public sealed class RequestLimits
{
    /// <summary>JSON values of a body, those of all requests of a <c>/batch</c> together: numbers, strings, arrays, objects.</summary>
    [Range(1_000, 100_000_000)]
    public int MaxValues { get; set; } = 500_000;

    /// <summary>Messages of a chat, results of tools among them.</summary>
    [Range(1, 1_000_000)]
    public int MaxMessages { get; set; } = 10_000;

    /// <summary>Parts of one message's content.</summary>
    [Range(1, 1_000_000)]
    public int MaxParts { get; set; } = 1_000;

    /// <summary>Calls of tools in one message.</summary>
    [Range(1, 1_000_000)]
    public int MaxToolCalls { get; set; } = 256;

    /// <summary>Tools that a request offers.</summary>
    [Range(1, 1_000_000)]
    public int MaxTools { get; set; } = 1_024;

    /// <summary>Bytes of one stop string.</summary>
    [Range(1, 1_000_000)]
    public int MaxStopSize { get; set; } = 1_024;

    /// <summary>Bytes of a text that is to be analyzed.</summary>
    [Range(1, int.MaxValue)]
    public int MaxTextSize { get; set; } = 1024 * 1024;
}

[OptionsValidator]
public sealed partial class RequestLimitsValidator : IValidateOptions<RequestLimits>;
