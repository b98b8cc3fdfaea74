using AgentPlatform.Api.Answers;
using AgentPlatform.Api.Catalogue;
using AgentPlatform.Api.Requests;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Analyze;
using AgentPlatform.Inference.Json;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Analyze;

/// <summary>Judges a text: <c>{"text":"I love it"}</c> gives <c>{"sentiment":"Positive","confidence":0.98}</c>.</summary>
internal static class AnalyzeApi
{
    /// <summary>POST /analyze</summary>
    public static async Task AnalyzeAsync(HttpContext context, InferenceCall call, RequestBodies bodies, IModelCatalogue catalogue)
    {
        AnalyzeRequest analyze;
        RequestBody? body = null;
        try
        {
            body = await bodies.ReadAsync(context);
            JsonBody.Check(body.Bytes.Span, call.Options.Limits.MaxValues);
            analyze = AnalyzeRequest.Read(body.Bytes.Span);
        }
        catch (InferenceException e) when (e.Error.Kind == ErrorKind.InvalidRequest)
        {
            // One text for every kind of bad body is this route's contract.
            body?.Dispose();
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync("Invalid request body.", context.RequestAborted);
            return;
        }

        using var held = body;
        analyze.RequireFit(call.Options.Limits);
        var route = catalogue.Resolve(analyze.Model, Operation.Analyze);
        using var deadline = call.StartDeadline(context);
        context.Response.ContentType = "application/json";
        context.NameVersion(route);
        await call.CompleteAsync(route, new InferenceRequest
        {
            RequestId = RequestIdentity.Of(context),
            Model = route.Model.Id,
            Version = route.Version,
            Operation = Operation.Analyze,
            Deadline = deadline.At,
            TimeLimit = deadline.Limit,
            Body = body.Bytes,
        }, deadline, context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
