using System.Buffers;
using System.Text.Json;
using AgentPlatform.Api.Answers;
using AgentPlatform.Api.Catalogue;
using AgentPlatform.Api.Chat;
using AgentPlatform.Api.Errors;
using AgentPlatform.Api.Requests;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Analyze;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.Json;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Batches;

/// <summary>
/// Many requests in one: an array of chat requests (they have <c>messages</c>) and texts to analyze (they have <c>text</c> and no
/// messages) gives an array of their answers in the same order. A failing item is <c>{"error":{...}}</c> in its place.
/// </summary>
internal static class BatchApi
{
    /// <summary>POST /batch</summary>
    public static async Task BatchAsync(HttpContext context, InferenceCall call, RequestBodies bodies, IModelCatalogue catalogue)
    {
        using var body = await bodies.ReadAsync(context);
        JsonBody.Check(body.Bytes.Span, call.Options.Limits.MaxValues, JsonLimits.MaxDepth + 1); // Each request may be as deep as alone.
        var items = Split(body.Bytes, call.Options.MaxBatchItems);
        using var deadline = call.StartDeadline(context);

        // All at once: what cannot run yet waits in the models' queues, not here.
        var answers = await Task.WhenAll(items.Select(item => AnswerAsync(item, call, catalogue, deadline, context.RequestAborted)));
        var output = context.Response.BodyWriter;
        context.Response.ContentType = "application/json";
        output.Write("["u8);
        for (var i = 0; i < answers.Length; i++)
        {
            if (i > 0)
            {
                output.Write(","u8);
            }

            output.Write(answers[i].WrittenSpan);
            await output.FlushAsync(context.RequestAborted);
        }

        output.Write("]"u8);
        await output.FlushAsync(context.RequestAborted);
    }

    private static List<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> body, int limit)
    {
        var items = new List<ReadOnlyMemory<byte>>();
        var reader = new Utf8JsonReader(body.Span, JsonLimits.Reader);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new InferenceException(InferenceError.Invalid("The body must be a JSON array of requests."));
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            items.Add(body[start..(int)reader.BytesConsumed]);
            if (items.Count > limit)
            {
                throw new InferenceException(InferenceError.Invalid($"A batch may hold at most {limit} requests."));
            }
        }

        return items;
    }

    private static async Task<ArrayBufferWriter<byte>> AnswerAsync(
        ReadOnlyMemory<byte> item, InferenceCall call, IModelCatalogue catalogue, RequestDeadline deadline, CancellationToken clientLeft)
    {
        var requestId = Guid.CreateVersion7();
        var answer = new ArrayBufferWriter<byte>();
        try
        {
            var (operation, route) = Route(item.Span, call.Options.Limits, catalogue);
            await call.CompleteAsync(route, new InferenceRequest
            {
                RequestId = requestId,
                Model = route.Model.Id,
                Version = route.Version,
                Operation = operation,
                Deadline = deadline.At,
                TimeLimit = deadline.Limit,
                Body = item,
            }, deadline, answer);
        }
        catch (InferenceException e)
        {
            ErrorResponse.WriteEnvelope(answer, e.Error);
        }
        catch (Exception e) when (!clientLeft.IsCancellationRequested)
        {
            // Alone it would be a 500. Here its neighbours are answered all the same.
            answer.ResetWrittenCount();
            ErrorResponse.WriteEnvelope(answer, call.Unhandled(e, requestId));
        }

        return answer;
    }

    private static (Operation Operation, ModelRoute Route) Route(ReadOnlySpan<byte> item, RequestLimits limits, IModelCatalogue catalogue)
    {
        var (hasMessages, hasText) = (false, false);
        var reader = new Utf8JsonReader(item, JsonLimits.Reader);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InferenceException(InferenceError.Invalid("An item of a batch must be a JSON object."));
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            hasMessages |= reader.ValueTextEquals("messages"u8);
            hasText |= reader.ValueTextEquals("text"u8);
            reader.Read();
            reader.Skip();
        }

        if (hasText && !hasMessages)
        {
            var analyze = AnalyzeRequest.Read(item);
            analyze.RequireFit(limits);
            return (Operation.Analyze, catalogue.Resolve(analyze.Model, Operation.Analyze));
        }

        var chat = ChatRequest.Read(item, limits);
        ChatApi.RequireWhole(chat);
        return (Operation.Chat, catalogue.Resolve(chat.Model, Operation.Chat));
    }
}
