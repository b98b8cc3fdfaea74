using System.Diagnostics;
using System.Diagnostics.Metrics;
using AgentPlatform.Inference;

namespace AgentPlatform.Api.Telemetry;

/// <summary>
/// Durations of requests as OpenTelemetry's conventions for generative AI name them:
/// https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class InferenceMetrics
{
    public const string Name = "AgentPlatform.Api";

    /// <summary>Who answers, as <c>gen_ai.provider.name</c> has it.</summary>
    public const string Provider = "agentplatform";

    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _timeToFirstToken;
    private readonly Histogram<double> _timePerOutputToken;

    public InferenceMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        _duration = meter.CreateHistogram("gen_ai.server.request.duration", "s", "Time from a request to the end of its answer", tags: null,
            advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
        });
        _timeToFirstToken = meter.CreateHistogram("gen_ai.server.time_to_first_token", "s", "Time from a request to its first token",
            tags: null, advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0],
        });
        _timePerOutputToken = meter.CreateHistogram("gen_ai.server.time_per_output_token", "s", "Time between tokens after the first",
            tags: null, advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5],
        });
    }

    /// <summary>Names the operation on the server's span.</summary>
    public static void TagSpan(InferenceRequest request)
    {
        if (Activity.Current is { } activity)
        {
            activity.SetTag("gen_ai.operation.name", request.Operation.Info().Name);
            activity.SetTag("gen_ai.request.model", request.Model);
        }
    }

    public void Ended(InferenceRequest request, TimeSpan duration, string? errorType)
    {
        var tags = Tags(request);
        if (errorType is not null)
        {
            tags.Add("error.type", errorType);
        }

        _duration.Record(duration.TotalSeconds, tags);
    }

    public void FirstToken(InferenceRequest request, TimeSpan elapsed) => _timeToFirstToken.Record(elapsed.TotalSeconds, Tags(request));

    public void TokensEnded(InferenceRequest request, TimeSpan sinceFirst, long tokens)
    {
        if (tokens > 1)
        {
            _timePerOutputToken.Record(sinceFirst.TotalSeconds / (tokens - 1), Tags(request));
        }
    }

    private static TagList Tags(InferenceRequest request) => new()
    {
        { "gen_ai.operation.name", request.Operation.Info().Name },
        { "gen_ai.provider.name", Provider },
        { "gen_ai.request.model", request.Model },
        { "agentplatform.model.version", request.Version },
    };
}
