using AgentPlatform.Api.Answers;
using AgentPlatform.Api.Catalogue;
using AgentPlatform.Api.Requests;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.Json;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Chat;

/// <summary>OpenAI's chat completions, and the agent containers' <c>/invoke</c>, which is one of them without a stream.</summary>
internal static class ChatApi
{
    /// <summary>POST /v1/chat/completions</summary>
    public static async Task CompletionsAsync(HttpContext context, InferenceCall call, RequestBodies bodies, IModelCatalogue catalogue)
    {
        using var body = await bodies.ReadAsync(context);
        var chat = Read(body, call.Options.Limits);
        if (chat.Model is null)
        {
            throw JsonField.Missing("model");
        }

        using var deadline = call.StartDeadline(context);
        var route = catalogue.Resolve(chat.Model, Operation.Chat);
        var request = RequestOf(context, chat, body, route, deadline);
        await (chat.Stream
            ? call.StreamAsync(context, route, request, chat.IncludeUsage, deadline)
            : CompleteAsync(context, call, route, request, deadline));
    }

    /// <summary>POST /invoke</summary>
    public static async Task InvokeAsync(HttpContext context, InferenceCall call, RequestBodies bodies, IModelCatalogue catalogue)
    {
        using var body = await bodies.ReadAsync(context);
        var chat = Read(body, call.Options.Limits);
        RequireWhole(chat);
        using var deadline = call.StartDeadline(context);
        var route = catalogue.Resolve(chat.Model, Operation.Chat);
        await CompleteAsync(context, call, route, RequestOf(context, chat, body, route, deadline), deadline);
    }

    /// <exception cref="InferenceException">400: the request asks for a stream where none is given.</exception>
    public static void RequireWhole(ChatRequest chat)
    {
        if (chat.Stream)
        {
            throw new InferenceException(InferenceError.Invalid("Streams are served at /v1/chat/completions only.", "stream"));
        }
    }

    private static ChatRequest Read(RequestBody body, RequestLimits limits)
    {
        JsonBody.Check(body.Bytes.Span, limits.MaxValues);
        return ChatRequest.Read(body.Bytes.Span, limits);
    }

    private static InferenceRequest RequestOf(
        HttpContext context, ChatRequest chat, RequestBody body, ModelRoute route, RequestDeadline deadline) => new()
    {
        RequestId = RequestIdentity.Of(context),
        Model = route.Model.Id,
        Version = route.Version,
        Operation = Operation.Chat,
        Stream = chat.Stream,
        Deadline = deadline.At,
        TimeLimit = deadline.Limit,
        ConversationId = RequestIdentity.ConversationOf(context),
        Body = body.Bytes,
    };

    private static async Task CompleteAsync(
        HttpContext context, InferenceCall call, ModelRoute route, InferenceRequest request, RequestDeadline deadline)
    {
        context.Response.ContentType = "application/json";
        context.NameVersion(route);
        await call.CompleteAsync(route, request, deadline, context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
