using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Tests.Inference.OpenAI;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Conformance;

/// <summary>
/// Plays what OpenAI's endpoint answers: the pairs in Recordings/, such as
/// <c>{"request":{"messages":[…],"temperature":0},"status":200,"response":{…}}</c>, for streams <c>"events":[{…},…]</c>. The request is
/// without its model's name; a message with <c>"times":5</c> stands for one with its content five times. <c>"hangs":true</c> is a stream
/// that goes on until the client leaves. A request that nobody recorded is a 500.
/// </summary>
internal sealed class RecordedEndpoint : IAsyncDisposable
{
    public const string Model = "gpt-3.5-turbo";
    public const string ApiKey = "sk-recorded";

    private static readonly JsonSerializerOptions _relaxed = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly UpstreamServer _server;
    private readonly List<(JsonNode Request, JsonObject Recording)> _recordings = [];

    private RecordedEndpoint(UpstreamServer server)
    {
        _server = server;
        foreach (var file in Directory
            .EnumerateFiles(Path.Combine(Repository.Root, "AgentPlatform.Tests", "Conformance", "Recordings"), "*.json"))
        {
            var recording = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
            _recordings.Add((Expand(recording["request"]!), recording));
        }

        server.Answer = AnswerAsync;
    }

    public Uri Address => new(_server.Address, "/v1");

    public static async Task<RecordedEndpoint> StartAsync() => new(await UpstreamServer.StartAsync());

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context, string body)
    {
        var response = context.Response;
        response.Headers["x-request-id"] = "req_recorded";
        response.Headers["openai-processing-ms"] = "12";
        if (context.Request.Headers.Authorization != $"Bearer {ApiKey}")
        {
            await FailAsync(response, 401, "Incorrect API key provided.", "invalid_api_key");
        }
        else if (context.Request.Path == "/v1/models")
        {
            var known = new { id = Model, @object = "model", created = 1677610602, owned_by = "openai" };
            await response.WriteAsJsonAsync(new { @object = "list", data = new[] { known } });
        }
        else
        {
            await PlayAsync(context, JsonNode.Parse(body)!.AsObject());
        }
    }

    private async Task PlayAsync(HttpContext context, JsonObject request)
    {
        var model = (string?)request["model"];
        request.Remove("model");
        var recording = _recordings.FirstOrDefault(
            candidate => model == Model && JsonNode.DeepEquals(candidate.Request, request)).Recording;
        if (recording is null)
        {
            await FailAsync(
                context.Response, 500,
                $"Nobody recorded this request to {model}: {request.ToJsonString()[..Math.Min(400, request.ToJsonString().Length)]}",
                "not_recorded");
            return;
        }

        context.Response.StatusCode = (int)recording["status"]!;
        if (recording["events"] is not JsonArray events)
        {
            await context.Response.WriteAsJsonAsync(recording["response"]);
            return;
        }

        context.Response.ContentType = "text/event-stream; charset=utf-8";
        foreach (var text in events.Select(one => one!.ToJsonString(_relaxed)))
        {
            await WriteAsync(context.Response, $"data: {text}\n\n");
        }

        if ((bool?)recording["hangs"] == true)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        }

        await WriteAsync(context.Response, "data: [DONE]\n\n");
    }

    /// <summary>In two pieces, the first of which may end inside a character, as networks cut streams.</summary>
    private static async Task WriteAsync(HttpResponse response, string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        var cut = Array.FindIndex(bytes, one => one >= 0x80) is > 0 and var inside ? inside + 1 : bytes.Length / 2;
        await response.Body.WriteAsync(bytes.AsMemory(0, cut));
        await response.Body.FlushAsync();
        await response.Body.WriteAsync(bytes.AsMemory(cut));
        await response.Body.FlushAsync();
    }

    private static Task FailAsync(HttpResponse response, int status, string message, string code)
    {
        response.StatusCode = status;
        return response.WriteAsJsonAsync(new { error = new { message, type = "invalid_request_error", param = (string?)null, code } });
    }

    private static JsonNode Expand(JsonNode request)
    {
        foreach (var message in request["messages"]!.AsArray().Select(message => message!.AsObject())
            .Where(message => message.ContainsKey("times")))
        {
            message["content"] = string.Concat(Enumerable.Repeat((string)message["content"]!, (int)message["times"]!));
            message.Remove("times");
        }

        return request;
    }
}
