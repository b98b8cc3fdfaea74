using System.Text.Json;
using AgentPlatform.Api.Telemetry;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Json;
using AgentPlatform.Inference.OpenAI;

namespace AgentPlatform.Api.Answers;

/// <summary>Measures one stream, and has its span say what it was: time to its first token, time per token, duration.</summary>
internal sealed class StreamProgress(InferenceMetrics metrics, InferenceSpan? span, InferenceRequest request, TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();
    private long _first;
    private long _tokens;
    private string? _error = "cancelled";
    private string? _message;

    /// <summary>The stream failed.</summary>
    public void Fail(InferenceError error) => (_error, _message) = (error.Code ?? error.Type, error.Message);

    public void Token(ReadOnlyMemory<byte> part)
    {
        if (_tokens++ == 0)
        {
            _first = time.GetTimestamp();
            var elapsed = time.GetElapsedTime(_began, _first);
            metrics.FirstToken(request, elapsed);
            span?.FirstToken(elapsed);
        }

        span?.Delta(part);
    }

    /// <param name="usage">OpenAI's usage object, or nothing if the engine counts no tokens: then each part counts as one.</param>
    public void Complete(ReadOnlyMemory<byte> usage)
    {
        _error = null;
        metrics.TokensEnded(request, time.GetElapsedTime(_first), CompletionTokens(usage.Span) ?? _tokens);
        span?.End(usage);
    }

    public void Ended()
    {
        metrics.Ended(request, time.GetElapsedTime(_began), _error);
        if (_error is not null)
        {
            span?.Fail(_error, _message);
        }
    }

    private static long? CompletionTokens(ReadOnlySpan<byte> usage)
    {
        if (usage.IsEmpty)
        {
            return null;
        }

        var reader = new Utf8JsonReader(usage, JsonLimits.Reader);
        while (reader.Read())
        {
            if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("completion_tokens"u8))
            {
                return reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var tokens) ? tokens : null;
            }
        }

        return null;
    }
}
