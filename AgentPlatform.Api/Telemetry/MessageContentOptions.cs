using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Telemetry;

/// <summary>
/// Whether spans carry what was asked and what was answered. OpenTelemetry's switch, the same for programs of any maker:
/// <c>OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT</c>.
/// </summary>
internal sealed class MessageContentOptions
{
    /// <summary>The switch's name.</summary>
    public const string Key = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

    /// <summary>Its value; <c>true</c> and <c>false</c> are those of before it had names.</summary>
    [RegularExpression(
        "(?i)NO_CONTENT|SPAN_ONLY|EVENT_ONLY|SPAN_AND_EVENT|true|false",
        ErrorMessage = $"{Key} must be NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT.")]
    public string? Capture { get; set; }

    /// <summary>Whether spans carry it. Events would, where they are asked for alone, and this platform writes none.</summary>
    public bool InSpans => Capture?.ToUpperInvariant() is "SPAN_ONLY" or "SPAN_AND_EVENT" or "TRUE";
}

[OptionsValidator]
internal sealed partial class MessageContentOptionsValidator : IValidateOptions<MessageContentOptions>;
