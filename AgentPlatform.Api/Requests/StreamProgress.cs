using System.Text.Json;
using AgentPlatform.Api.Telemetry;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Api.Requests;

/// <summary>Measures one stream: time to its first token, time per token, duration.</summary>
internal sealed class StreamProgress(InferenceMetrics metrics, InferenceRequest request, TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();
    private long _first;
    private long _tokens;

    /// <summary>Why the stream failed; null once it is complete.</summary>
    public string? Error { get; set; } = "cancelled";

    public void Token()
    {
        if (_tokens++ == 0)
        {
            _first = time.GetTimestamp();
            metrics.FirstToken(request.Operation, request.Model, time.GetElapsedTime(_began, _first));
        }
    }

    /// <param name="usage">OpenAI's usage object, or nothing if the engine counts no tokens: then each part counts as one.</param>
    public void Complete(ReadOnlySpan<byte> usage)
    {
        Error = null;
        metrics.TokensEnded(request.Operation, request.Model, time.GetElapsedTime(_first), CompletionTokens(usage) ?? _tokens);
    }

    public void Ended() => metrics.Ended(request.Operation, request.Model, time.GetElapsedTime(_began), Error);

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
