using AgentPlatform.Api.Catalogue;
using AgentPlatform.Api.Requests;
using AgentPlatform.Messaging.Contracts;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Chat;

/// <summary>OpenAI's chat completions, and the agent containers' <c>/invoke</c>, which is one of them without a stream.</summary>
internal static class ChatApi
{
    /// <summary>POST /v1/chat/completions</summary>
    public static async Task CompletionsAsync(HttpContext context, InferenceCall call, IModelCatalogue catalogue)
    {
        var (request, chat, deadline) = await ReadAsync(context, call, catalogue, requireModel: true);
        using (deadline)
        {
            await (chat.Stream
                ? call.StreamAsync(context, request, chat.IncludeUsage, deadline)
                : CompleteAsync(context, call, request, deadline));
        }
    }

    /// <summary>POST /invoke</summary>
    public static async Task InvokeAsync(HttpContext context, InferenceCall call, IModelCatalogue catalogue)
    {
        var (request, chat, deadline) = await ReadAsync(context, call, catalogue, requireModel: false);
        using (deadline)
        {
            RequireWhole(chat);
            await CompleteAsync(context, call, request, deadline);
        }
    }

    /// <exception cref="InferenceException">400: the request asks for a stream where none is given.</exception>
    public static void RequireWhole(ChatRequest chat)
    {
        if (chat.Stream)
        {
            throw new InferenceException(InferenceError.Invalid("Streams are served at /v1/chat/completions only.", "stream"));
        }
    }

    private static async Task<(InferenceRequest Request, ChatRequest Chat, RequestDeadline Deadline)> ReadAsync(
        HttpContext context, InferenceCall call, IModelCatalogue catalogue, bool requireModel)
    {
        RequestBody.RequireJson(context.Request);
        var body = await RequestBody.ReadAsync(context, call.Options.MaxBodySize);
        JsonBody.Check(body);
        var chat = ChatRequest.Read(body);
        if (requireModel && chat.Model is null)
        {
            throw JsonField.Missing("model");
        }

        var model = catalogue.Resolve(chat.Model, Operation.Chat);
        var deadline = call.StartDeadline(context);
        var request = new InferenceRequest
        {
            RequestId = RequestIdentity.Of(context),
            Model = model,
            Operation = Operation.Chat,
            Stream = chat.Stream,
            Deadline = deadline.At,
            Body = body,
        };
        return (request, chat, deadline);
    }

    private static async Task CompleteAsync(HttpContext context, InferenceCall call, InferenceRequest request, RequestDeadline deadline)
    {
        context.Response.ContentType = "application/json";
        await call.CompleteAsync(request, deadline, context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
