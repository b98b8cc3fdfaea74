using System.Net;
using System.Text;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Analyze;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.Json;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.OnnxChat.Model;
using AgentPlatform.OnnxChat.Requests;
using AgentPlatform.Testing.OnnxChat;
using AgentPlatform.Tests.Api;
using AgentPlatform.Tests.OnnxChat;
using Xunit.Abstractions;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Fuzz;

/// <summary>What clients send. A request is answered, or refused with a status of its own and OpenAI's error object.</summary>
[Trait("Category", FuzzRun.Tier)]
[Collection(FuzzRun.Tier)]
public sealed class RequestFuzz(ITestOutputHelper output)
{
    private static readonly RequestLimits _limits = new();

    private static readonly string[] _fields =
    [
        "model", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "seed", "tools",
        "tool_choice", "functions", "function_call",
        "response_format", "logit_bias", "logprobs", "top_logprobs", "user", "metadata", "reasoning_effort", "chat_template_kwargs",
        "modalities", "parallel_tool_calls", "unknown", "messages",
    ];

    private static readonly string[] _headers =
    [
        "x-request-timeout", "Idempotency-Key", "x-stream-resume", "Last-Event-ID", "x-request-id", "traceparent", "baggage", "Accept",
        "Accept-Encoding",
    ];

    private static readonly string[] _members =
    [
        "role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal", "audio", "x",
    ];

    [Fact]
    public Task A_chat_request_is_taken_or_refused_by_a_field_within_bounded_memory() => FuzzRun.RunAsync("chat request", output, random =>
    {
        var body = random.Damaged(Chat(random));
        var allocated = FuzzRun.AllocationOf(() => Refusal(() => Take(body)));
        Assert.True(allocated < 64 * 1024 + (64L * body.Length), $"{body.Length} bytes took {allocated}.");
        Refusal(() =>
        {
            JsonBody.Check(body, _limits.MaxValues);
            AnalyzeRequest.Read(body);
        });
    });

    [Fact]
    public async Task A_request_that_the_surface_takes_the_engine_takes_or_refuses()
    {
        using var files = new RandomChatModel(context: 128, layers: 1);
        var model = ChatModel.Load(files.Folder, Graphs.Open);
        using var decoder = model.Decoder;
        await FuzzRun.RunAsync("chat request of the engine", output, random =>
        {
            var body = Encoding.UTF8.GetBytes(Chat(random));
            if (Refusal(() => Take(body)) is null)
            {
                Refusal(
                    () =>
                        ChatCall.Read(
                            Tests.Worker.Requests.Create(body: Encoding.UTF8.GetString(body)), model, mostChoices: 4,
                            CancellationToken.None));
            }
        });
    }

    [Fact]
    public async Task The_surface_answers_whatever_comes_with_a_status_and_an_error_that_clients_can_read()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = static (request, _) => request.Stream ? Parts(Text("a"), End()) : Parts(Result("""{"choices":[]}"""));
        await FuzzRun.RunAsync("HTTP surface", output, async random =>
        {
            var path = random.Of(
                "/v1/chat/completions", "/v1/chat/completions", "/analyze", "/invoke", "/batch", "/v1/models", "/v1/models/tiny", "/",
                "/v1/" + Uri.EscapeDataString(random.Text()));
            using var message = new HttpRequestMessage(
                random.Of(HttpMethod.Post, HttpMethod.Post, HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete),
                new Uri(path, UriKind.Relative));
            if (message.Method != HttpMethod.Get)
            {
                message.Content = new ByteArrayContent(
                    random.Damaged(
                        path == "/batch"
                            ? $"[{Chat(random)},{random.Json()}]"
                            : path == "/analyze"
                            ? $$"""{"text":{{random.Json()}}}"""
                            : Chat(random)));
                message.Content.Headers.TryAddWithoutValidation(
                    "Content-Type",
                    random.Of("application/json", "application/json", "application/json; charset=utf-8", "text/plain", Ascii(random)));
            }

            foreach (var header in _headers)
            {
                if (random.Next(8) == 0)
                {
                    message.Headers.TryAddWithoutValidation(header, Ascii(random));
                }
            }

            using var response = await host.Client.SendAsync(message);
            var body = await response.Content.ReadAsStringAsync();
            Assert.True((int)response.StatusCode is >= 200 and < 500, $"{response.StatusCode}: {body}");

            // What Kestrel refuses by itself, such as a path with %00, has no id.
            if (response.Headers.Contains("x-request-id") && path.StartsWith("/v1/", StringComparison.Ordinal)
                && response.StatusCode >= HttpStatusCode.BadRequest)
            {
                Assert.False(body.Length == 0, $"{message.Method} {path}: {response.StatusCode} without a body");
                using var json = JsonDocument.Parse(body);
                Assert.NotEmpty(json.RootElement.GetProperty("error").GetProperty("message").GetString()!);
            }
        });
    }

    // As the HTTP surface takes a body.
    private static void Take(byte[] body)
    {
        JsonBody.Check(body, _limits.MaxValues);
        ChatRequest.Read(body, _limits);
    }

    private static string Ascii(Random random) => new([.. random.Text().Where(static character => character is >= ' ' and <= '~')]);

    private static string Chat(Random random)
    {
        var messages = $"\"messages\":[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Message(random)))}]";
        var fields = Enumerable.Range(0, random.Next(5)).Select(_ => $"\"{random.Of(_fields)}\":{Value(random)}");
        return $"{{{string.Join(',', fields.Append(messages).OrderBy(_ => random.Next()))}}}";
    }

    private static string Message(Random random) => random.Next(8) == 0 ? random.Json()
        : $"{{\"role\":\"{random.Of("system", "developer", "user", "assistant", "tool", "function", "nobody")}\"{Members(random)}}}";

    private static string Members(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => $",\"{random.Of(_members)}\":{Value(random)}"));

    private static string Value(Random random) => random.Of(
        random.Json(), random.Json(), """[{"type":"text","text":"Hi"}]""",
        """[{"type":"function","function":{"name":"f","arguments":null}}]""", "\"Hi\"", "null", "{}", "[]", "0", "1", "true", "\"none\"");

    private static InferenceError? Refusal(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (InferenceException e)
        {
            Assert.Equal((400, "invalid_request_error"), (e.Error.Status, e.Error.Type));
            Assert.NotEmpty(e.Error.Message);
            return e.Error;
        }
    }
}
