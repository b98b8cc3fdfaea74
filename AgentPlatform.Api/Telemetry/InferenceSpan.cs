using System.Diagnostics;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Api.Telemetry;

/// <summary>
/// The span of one request to a model. Without its content a token costs it no allocation. What a client or a server wrote is nowhere but
/// in the attributes for content: error messages too, since servers quote in them what they refuse.
/// </summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class InferenceSpan : IDisposable
{
    private readonly Activity _activity;
    private readonly Operation _operation;
    private readonly bool _hasContent;
    private readonly AnswerRecord? _answer;

    public InferenceSpan(Activity activity, InferenceRequest request, bool hasContent)
    {
        (_activity, _operation, _hasContent) = (activity, request.Operation, hasContent);
        if (!activity.IsAllDataRequested)
        {
            return;
        }

        _answer = new AnswerRecord(hasContent);
        activity.SetTag("gen_ai.response.model", request.Model);
        activity.SetTag("agentplatform.request.id", request.RequestId);
        activity.SetTag("gen_ai.conversation.id", request.ConversationId);
        if (request.Operation.Info().HasEnvelope)
        {
            activity.SetTag("gen_ai.response.id", $"chatcmpl-{request.RequestId:N}");
            activity.SetTag("gen_ai.request.stream", request.Stream);
            Reading(() => RequestSettings.Tag(activity, request.Body.Span));
        }

        if (hasContent)
        {
            Reading(() => PromptRecord.Tag(activity, request));
        }
    }

    /// <summary>The first token came.</summary>
    public void FirstToken(TimeSpan elapsed) => _activity.SetTag("gen_ai.response.time_to_first_chunk", elapsed.TotalSeconds);

    /// <summary>A piece of a streamed answer.</summary>
    public void Delta(ReadOnlyMemory<byte> part)
    {
        if (_answer is not null && (_hasContent || AnswerRecord.SaysWhyItEnds(part.Span)))
        {
            Take(part);
        }
    }

    /// <summary>The good end of a streamed answer.</summary>
    /// <param name="usage">OpenAI's usage object, or nothing.</param>
    public void End(ReadOnlyMemory<byte> usage)
    {
        if (_answer is not null && !usage.IsEmpty)
        {
            ReadUsage(usage, isMember: false);
        }
    }

    /// <summary>The answer as a whole.</summary>
    public void Result(ReadOnlyMemory<byte> result)
    {
        if (_answer is null)
        {
            return;
        }

        if (_operation.Info().HasEnvelope)
        {
            Take(result);
            ReadUsage(result, isMember: true);
        }
        else
        {
            _answer.TakeText(result.Span);
        }
    }

    /// <summary>The request failed.</summary>
    /// <param name="type">Code of the failure.</param>
    /// <param name="message">What the client is told, if anything.</param>
    public void Fail(string type, string? message = null)
    {
        _activity.SetTag("error.type", type);
        _activity.SetStatus(ActivityStatusCode.Error, _hasContent ? message : null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_answer is not null)
        {
            _activity.SetTag("gen_ai.response.finish_reasons", _answer.FinishReasons);
            _activity.SetTag("gen_ai.output.messages", _answer.Messages());
        }

        _activity.Dispose();
    }

    private void Take(ReadOnlyMemory<byte> part)
    {
        try
        {
            _answer!.Take(part);
        }
        catch (Exception e) when (IsOfContent(e))
        {
            // What an engine answers is the client's to judge; a span goes without.
        }
    }

    // {"prompt_tokens":3,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":2}}
    private void ReadUsage(ReadOnlyMemory<byte> json, bool isMember) => Reading(() =>
    {
        using var document = JsonDocument.Parse(json, JsonLimits.Document);
        var usage = document.RootElement;
        if (isMember && !usage.TryGetProperty("usage"u8, out usage) || usage.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        SetTokens("gen_ai.usage.input_tokens", usage, "prompt_tokens"u8);
        SetTokens("gen_ai.usage.output_tokens", usage, "completion_tokens"u8);
        if (usage.TryGetProperty("prompt_tokens_details"u8, out var details) && details.ValueKind == JsonValueKind.Object)
        {
            SetTokens("gen_ai.usage.cache_read.input_tokens", details, "cached_tokens"u8);
        }
    });

    private void SetTokens(string tag, JsonElement usage, ReadOnlySpan<byte> member)
    {
        if (usage.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var tokens))
        {
            _activity.SetTag(tag, tokens);
        }
    }

    private static void Reading(Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (IsOfContent(e))
        {
            // As far as it could be read.
        }
    }

    // No JSON, not of the shape that it should have, or half of a surrogate pair.
    private static bool IsOfContent(Exception e) => e is JsonException or InvalidOperationException;
}
