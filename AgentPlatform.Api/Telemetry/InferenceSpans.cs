using System.Diagnostics;
using AgentPlatform.Inference;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Telemetry;

/// <summary>
/// Begins the span of a request to a model as OpenTelemetry's conventions for generative AI describe it, one per request however many
/// workers try it: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/. What it says has the same names in v1.41 of the
/// conventions and in v0.1.0 of their own repository, so that <c>OTEL_SEMCONV_STABILITY_OPT_IN</c> has nothing to choose.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class InferenceSpans(IOptions<MessageContentOptions> content)
{
    private static readonly ActivitySource _source = new(InferenceMetrics.Name);

    /// <summary>The request's span, which is the current one from now on; null if nobody listens.</summary>
    public InferenceSpan? Start(InferenceRequest request)
    {
        if (!_source.HasListeners())
        {
            return null;
        }

        var operation = request.Operation.Info().Name;
        var activity = _source.StartActivity(ActivityKind.Client, name: $"{operation} {request.Model}", tags:
        [
            new("gen_ai.operation.name", operation),
            new("gen_ai.provider.name", InferenceMetrics.Provider),
            new("gen_ai.request.model", request.Model),
            new("agentplatform.model.version", request.Version),
        ]);
        return activity is null ? null : new InferenceSpan(activity, request, content.Value.InSpans);
    }
}
