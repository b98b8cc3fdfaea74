using System.Collections.Concurrent;
using System.Text.Json;
using AgentPlatform.Tests.Inference.OpenAI;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Worker.Engines.Agent;

/// <summary>A model's server on a real port that answers as a script says, one line for each call; the last line stays.</summary>
internal sealed class ScriptedModel : IAsyncDisposable
{
    private readonly UpstreamServer _server;
    private readonly ConcurrentQueue<Func<HttpContext, string, Task>> _script = new();

    private ScriptedModel(UpstreamServer server) => _server = server;

    /// <summary>Where it is, with the version.</summary>
    public string Endpoint => $"{_server.Address}v1";

    /// <summary>The requests that came.</summary>
    public IReadOnlyList<JsonElement> Requests => [.. _server.Requests.Select(request => JsonDocument.Parse(request.Body).RootElement)];

    public static async Task<ScriptedModel> StartAsync(params Func<HttpContext, string, Task>[] script)
    {
        var model = new ScriptedModel(await UpstreamServer.StartAsync());
        foreach (var line in script)
        {
            model._script.Enqueue(line);
        }

        model._server.Answer = (context, body) =>
        {
            Assert.True(model._script.TryPeek(out var line), "The model was not to be asked.");
            if (model._script.Count > 1)
            {
                model._script.TryDequeue(out _);
            }

            return line!(context, body);
        };
        return model;
    }

    /// <summary>Says the pieces, each in an event of its own.</summary>
    public static Func<HttpContext, string, Task> Says(params string[] pieces) => UpstreamServer.Stream(
    [
        .. pieces.Select(piece => Event($$"""{"content":{{JsonSerializer.Serialize(piece)}}}""")),
        Event("{}", "stop"), Usage(10, pieces.Length), "data: [DONE]\n\n",
    ]);

    /// <summary>Asks for tools, the arguments in two pieces as servers send them.</summary>
    public static Func<HttpContext, string, Task> Calls(params (string Id, string Name, string Arguments)[] calls) => UpstreamServer.Stream(
    [
        .. calls.SelectMany((call, index) => (string[])
        [
            Event($$$"""{"tool_calls":[{"index":{{{index}}},"id":"{{{call.Id}}}","type":"function","function":{"name":"{{{call.Name}}}","arguments":"" } }]}"""),
            .. call.Arguments.Chunk(5).Select(piece => Event($$$"""{"tool_calls":[{"index":{{{index}}},"function":{"arguments":{{{JsonSerializer.Serialize(new string(piece))}}} } }]}""")),
        ]),
        Event("{}", "tool_calls"), Usage(20, 5), "data: [DONE]\n\n",
    ]);

    /// <summary>Never ends its answer; <paramref name="left"/> is set when its client goes.</summary>
    public static Func<HttpContext, string, Task> Hangs(TaskCompletionSource began, TaskCompletionSource left) => async (context, body) =>
    {
        await UpstreamServer.Stream(Event("""{"content":"Well"}"""))(context, body);
        began.TrySetResult();
        await context.RequestAborted.WaitAsync();
        left.TrySetResult();
    };

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static string Event(string delta, string? reason = null) =>
        $"data: {{\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[" +
        $"{{\"index\":0,\"delta\":{delta},\"finish_reason\":{(reason is null ? "null" : $"\"{reason}\"")}}}]}}\n\n";

    private static string Usage(int input, int output) =>
        "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":" +
        $"{{\"prompt_tokens\":{input},\"completion_tokens\":{output},\"total_tokens\":{input + output}}}}}\n\n";
}

internal static class CancellationWait
{
    public static Task WaitAsync(this CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        token.Register(cancelled.SetResult);
        return cancelled.Task;
    }
}
