using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Worker.Engines.Triton;

/// <summary>
/// A server of the Open Inference Protocol with one model, on a real port: health, metadata, configuration, <c>infer</c> with JSON
/// tensors, and Triton's <c>generate_stream</c>. It refuses what Triton refuses, with its status and its <c>{"error":"…"}</c>.
/// </summary>
internal sealed class InferenceServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private InferenceServer(WebApplication app, ServedModel model)
    {
        (_app, Model) = (app, model);
        Address = new Uri(app.Urls.First());
    }

    public Uri Address { get; }

    public ServedModel Model { get; }

    /// <summary>Whether server and model are ready.</summary>
    public bool IsReady { get; set; } = true;

    /// <summary>Answers in place of the protocol, for every request or for none.</summary>
    public Func<HttpContext, Task>? Misbehave { get; set; }

    /// <summary>Paths of all requests.</summary>
    public ConcurrentQueue<string> Paths { get; } = new();

    /// <summary>The inputs of each inference, by name.</summary>
    public ConcurrentQueue<IReadOnlyDictionary<string, JsonNode[]>> Inferences { get; } = new();

    /// <summary>Ends once a client left while it was answered.</summary>
    public TaskCompletionSource ClientLeft { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<InferenceServer> StartAsync(ServedModel model)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        InferenceServer? server = null;
        app.Run(context => server!.AnswerAsync(context));
        await app.StartAsync();
        return server = new InferenceServer(app, model);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        Paths.Enqueue(path);
        if (Misbehave is { } misbehave)
        {
            await misbehave(context);
            return;
        }

        try
        {
            await RouteAsync(context, path);
        }
        catch (RefusedException e)
        {
            context.Response.StatusCode = e.Status;
            await context.Response.WriteAsJsonAsync(new { error = e.Message });
        }
    }

    private async Task RouteAsync(HttpContext context, string path)
    {
        // /v2/models/M[/versions/V][/what]
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries).ToList();
        if (parts is ["v2", "health", "ready" or "live"])
        {
            context.Response.StatusCode = IsReady ? 200 : 400;
            return;
        }

        if (parts is not ["v2", "models", var name, ..])
        {
            throw new RefusedException(404, "Not Found");
        }

        var isVersioned = parts is [_, _, _, "versions", ..];
        if (name != Model.Name || (isVersioned && parts[4] != Model.Version))
        {
            throw new RefusedException(404, $"Request for unknown model: '{name}' is not found");
        }

        switch (parts[(isVersioned ? 5 : 3)..])
        {
            case []:
                await context.Response.WriteAsJsonAsync(Model.Metadata);
                break;
            case ["ready"]:
                context.Response.StatusCode = IsReady ? 200 : 400;
                break;
            case ["config"] when Model.HasConfig:
                await context.Response.WriteAsJsonAsync(Model.Config);
                break;
            case ["infer"] when !Model.IsDecoupled:
                await InferAsync(context);
                break;
            case ["infer"]:
                throw new RefusedException(501, "HTTP end point doesn't support models with decoupled transaction policy");
            case ["generate_stream"] when Model.HasConfig:
                await GenerateAsync(context);
                break;
            default:
                throw new RefusedException(404, "Not Found");
        }
    }

    private async Task InferAsync(HttpContext context)
    {
        var request = (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted))!;
        var inputs = new Dictionary<string, JsonNode[]>();
        long batch = 1;
        foreach (var input in request["inputs"]!.AsArray())
        {
            var tensor = Model.Check(
                (string)input!["name"]!, (string)input["datatype"]!, [.. input["shape"]!.AsArray().Select(dimension => (long)dimension!)]);
            batch = tensor.Batch;
            inputs[tensor.Name] = [.. Flatten(input["data"]!)];
            if (inputs[tensor.Name].Length != tensor.Count)
            {
                throw new RefusedException(
                    400,
                    $"unable to parse 'data': expected {tensor.Count} values for input '{tensor.Name}', got {inputs[tensor.Name].Length}");
            }
        }

        Model.RequireAll(inputs.Keys);
        foreach (var wanted in request["outputs"]?.AsArray() ?? [])
        {
            if (Model.Outputs.All(output => output.Name != (string)wanted!["name"]!))
            {
                throw new RefusedException(400, $"unexpected inference output '{wanted!["name"]}' for model '{Model.Name}'");
            }
        }

        Inferences.Enqueue(inputs);
        var (datatype, shape, data) = await Model.Infer(inputs, batch);
        await context.Response.WriteAsJsonAsync(new
        {
            model_name = Model.Name,
            model_version = Model.Version,
            outputs = new[] { new { name = Model.Outputs[0].Name, datatype, shape, data } },
        });
    }

    private async Task GenerateAsync(HttpContext context)
    {
        var request = (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted))!.AsObject();
        var inputs = new Dictionary<string, JsonNode[]>();
        foreach (var (name, value) in request.Where(field => Model.Inputs.Any(input => input.Name == field.Key)))
        {
            inputs[name] = value is JsonArray array ? [.. array.Select(item => item!)] : [value!];
        }

        Model.RequireAll(inputs.Keys);
        Inferences.Enqueue(inputs);
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        try
        {
            await foreach (var response in Model.Generate(inputs, context))
            {
                await context.Response.WriteAsync($"data: {JsonSerializer.Serialize(response)}\n\n");
                await context.Response.Body.FlushAsync();
            }
        }
        finally
        {
            if (context.RequestAborted.IsCancellationRequested)
            {
                ClientLeft.TrySetResult();
            }
        }
    }

    private static IEnumerable<JsonNode> Flatten(JsonNode data) =>
        data.AsArray().SelectMany(item => item is JsonArray ? Flatten(item) : [item!]);
}

/// <summary>What the server answers with a status that is no success.</summary>
internal sealed class RefusedException(int status, string message) : Exception(message)
{
    public int Status => status;
}
