using System.Text;
using System.Text.Json;
using AgentPlatform.Client.Chat;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Tests.Api;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;
using Microsoft.SemanticKernel.ChatCompletion;

namespace AgentPlatform.Tests.Client.Chat;

public sealed class InferenceChatTests : IDisposable
{
    private const string Usage = """{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}""";

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly FakeInference _inference = new();
    private readonly FakeTimeProvider _time = new();
    private readonly IChatClient _client;

    public InferenceChatTests() => _client = _inference.AsChatClient("tiny", TimeSpan.FromMinutes(5), _time);

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Options_become_the_members_of_an_OpenAI_request()
    {
        Answers("""{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}""");
        var tool = AIFunctionFactory.Create((string city) => city, "weather", "Says the weather.");

        await _client.GetResponseAsync([new(ChatRole.System, "Be kind."), new(ChatRole.User, "Hello")], new ChatOptions
        {
            Temperature = 0.5f,
            TopP = 0.25f,
            TopK = 7,
            MaxOutputTokens = 9,
            Seed = 11,
            StopSequences = ["END"],
            Tools = [tool],
            ToolMode = ChatToolMode.RequireSpecific("weather"),
            ResponseFormat = ChatResponseFormat.Json,
            AdditionalProperties = new() { ["min_p"] = 0.125, ["guided.choice"] = new List<string> { "a", "b" } },
        });

        var request = Assert.Single(_inference.Requests);
        Assert.Equal(
            ("tiny", Operation.Chat, false, _time.GetUtcNow() + TimeSpan.FromMinutes(5)),
            (request.Model, request.Operation, request.Stream, request.Deadline));
        using var body = JsonDocument.Parse(request.Body);
        var member = (string name) => body.RootElement.GetProperty(name);
        Assert.Equal(["system", "user"], member("messages").EnumerateArray().Select(message => message.GetProperty("role").GetString()!));
        List<string> numbers = ["temperature", "top_p", "top_k", "max_completion_tokens", "seed", "min_p"];
        Assert.Equal([0.5, 0.25, 7, 9, 11, 0.125], numbers.Select(name => member(name).GetDouble()));
        Assert.Equal("END", member("stop")[0].GetString());
        Assert.Equal("weather", member("tools")[0].GetProperty("function").GetProperty("name").GetString());
        Assert.Equal("weather", member("tool_choice").GetProperty("function").GetProperty("name").GetString());
        Assert.Equal("json_object", member("response_format").GetProperty("type").GetString());
        Assert.Equal("b", member("guided.choice")[1].GetString());
    }

    [Fact]
    public async Task A_whole_answer_has_text_reason_and_usage()
    {
        Answers($$"""{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"length"}],"usage":{{Usage}}}""");

        var answer = await _client.GetResponseAsync("Hello");

        Assert.Equal(
            ("Hi", ChatFinishReason.Length, 3, 5),
            (answer.Text, answer.FinishReason, answer.Usage!.InputTokenCount, answer.Usage.OutputTokenCount));
        Assert.Equal("tiny", answer.ModelId);
    }

    [Fact]
    public async Task Tool_calls_come_and_their_results_go()
    {
        Answers(
            """{"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":"""
                + """[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}"}}]}"""
                    + ""","finish_reason":"tool_calls"}]}""");
        var tools = new ChatOptions { Tools = [AIFunctionFactory.Create((string city) => city, "weather")] };

        var answer = await _client.GetResponseAsync("Weather?", tools);

        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
        var call = Assert.Single(answer.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>());
        Assert.Equal(("c1", "weather", "Rome"), (call.CallId, call.Name, call.Arguments!["city"]!.ToString()));

        await _client.GetResponseAsync(
            [new(ChatRole.User, "Weather?"), .. answer.Messages, new(ChatRole.Tool, [new FunctionResultContent("c1", "sunny")])], tools);
        using var body = JsonDocument.Parse(_inference.Requests[1].Body);
        var messages = body.RootElement.GetProperty("messages");
        Assert.Equal("c1", messages[1].GetProperty("tool_calls")[0].GetProperty("id").GetString());
        Assert.Equal(
            ("tool", "c1", "sunny"),
            (
                messages[2].GetProperty("role").GetString(), messages[2].GetProperty("tool_call_id").GetString(),
                messages[2].GetProperty("content").GetString()));
    }

    [Fact]
    public async Task A_stream_comes_piece_by_piece_and_ends_with_reason_and_usage()
    {
        var gate = new TaskCompletionSource();
        _inference.Answer = (_, token) => FakeInference.Gated(
            gate.Task, [FakeInference.Started, FakeInference.Text("Hel")], [FakeInference.Text("lo", "stop"), FakeInference.End(Usage)],
            token);
        await using var updates = _client.GetStreamingResponseAsync("Hello").GetAsyncEnumerator();
        var seen = new List<ChatResponseUpdate>();
        while (string.Concat(seen.Select(update => update.Text)).Length == 0)
        {
            Assert.True(await updates.MoveNextAsync().AsTask().WaitAsync(_limit));
            seen.Add(updates.Current);
        }

        Assert.Equal("Hel", seen[^1].Text);
        gate.SetResult();
        while (await updates.MoveNextAsync().AsTask().WaitAsync(_limit))
        {
            seen.Add(updates.Current);
        }

        var answer = seen.ToChatResponse();
        Assert.Equal(("Hello", ChatFinishReason.Stop, 8), (answer.Text, answer.FinishReason, answer.Usage!.TotalTokenCount));
        Assert.True(_inference.Requests[0].Stream);
    }

    [Fact]
    public async Task Streamed_pieces_of_tool_calls_become_whole_calls()
    {
        _inference.Answer = (_, _) => FakeInference.Parts(
            Call(0, """ "id":"c1","type":"function","function":{"name":"weather","arguments":""} """),
            Call(0, """ "function":{"arguments":"{\"city\":"} """),
            Call(1, """ "id":"c2","type":"function","function":{"name":"time","arguments":"{}"} """),
            Call(0, """ "function":{"arguments":"\"Rome\"}"} """),
            FakeInference.Delta("""{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"""),
            FakeInference.End());

        var answer = await _client.GetStreamingResponseAsync("Weather?").ToChatResponseAsync();

        var calls = answer.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>().ToList();
        Assert.Equal([("c1", "weather"), ("c2", "time")], calls.Select(call => (call.CallId, call.Name)));
        Assert.Equal("Rome", calls[0].Arguments!["city"]!.ToString());
        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failure_stays_what_it_is(bool stream)
    {
        var error = InferenceError.Overloaded("The queue is full.", retryAfterSeconds: 3);
        _inference.Answer = (_, _) => FakeInference.FailAfter(error);

        var failure = await Assert.ThrowsAsync<InferenceException>(() => AskAsync(stream).WaitAsync(_limit));

        Assert.Equal(error, failure.Error);
        Assert.Single(_inference.Requests);
    }

    [Fact]
    public async Task A_failure_in_the_middle_of_a_stream_comes_after_what_was_there()
    {
        var error = InferenceError.EngineFailed("Out of memory.");
        _inference.Answer = (_, _) => FakeInference.FailAfter(error, FakeInference.Text("Hel"));
        var text = new StringBuilder();

        var failure = await Assert.ThrowsAsync<InferenceException>(async () =>
        {
            await foreach (var update in _client.GetStreamingResponseAsync("Hello"))
            {
                text.Append(update.Text);
            }
        });

        Assert.Equal((error, "Hel"), (failure.Error, text.ToString()));
    }

    [Fact]
    public async Task An_answer_that_just_stops_is_a_failure()
    {
        _inference.Answer = (_, _) => FakeInference.Parts(FakeInference.Text("Hel"));
        Assert.Equal(502, (await Assert.ThrowsAsync<InferenceException>(() => AskAsync(stream: true))).Error.Status);
        Assert.Equal(502, (await Assert.ThrowsAsync<InferenceException>(() => AskAsync(stream: false))).Error.Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cancelling_ends_the_work(bool stream)
    {
        var (began, ended) = Hang();
        using var cancel = new CancellationTokenSource();
        var asked = AskAsync(stream, cancel.Token);
        await began.WaitAsync(_limit);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked.WaitAsync(_limit));
        await ended.WaitAsync(_limit);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_passed_deadline_is_504_and_ends_the_work(bool stream)
    {
        var (began, ended) = Hang();
        var asked = AskAsync(stream);
        await began.WaitAsync(_limit);

        _time.Advance(TimeSpan.FromMinutes(6));

        Assert.Equal(504, (await Assert.ThrowsAsync<InferenceException>(() => asked.WaitAsync(_limit))).Error.Status);
        await ended.WaitAsync(_limit);
    }

    [Fact]
    public async Task Leaving_a_stream_ends_the_work()
    {
        var ended = new TaskCompletionSource();
        _inference.Answer = (_, token) => Endless(ended, token);
        await foreach (var update in _client.GetStreamingResponseAsync("Hello"))
        {
            if (update.Text.Length > 0)
            {
                break;
            }
        }

        await ended.Task.WaitAsync(_limit);
    }

    [Fact]
    public async Task Semantic_Kernel_chats_by_it()
    {
        Answers($$"""{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{{Usage}}}""");
        var service = _client.AsChatCompletionService();
        Assert.Equal("Hi", (await service.GetChatMessageContentAsync("Hello")).Content);

        _inference.Answer = (_, _) => FakeInference.Parts(
            FakeInference.Text("Hel"), FakeInference.Text("lo", "stop"), FakeInference.End(Usage));
        var text = new StringBuilder();
        await foreach (var piece in service.GetStreamingChatMessageContentsAsync("Hello"))
        {
            text.Append(piece.Content);
        }

        Assert.Equal("Hello", text.ToString());
    }

    private void Answers(string result) => _inference.Answer = (_, _) => FakeInference.Parts(FakeInference.Result(result));

    private async Task AskAsync(bool stream, CancellationToken cancellationToken = default)
    {
        if (!stream)
        {
            await _client.GetResponseAsync("Hello", cancellationToken: cancellationToken);
            return;
        }

        await foreach (var update in _client.GetStreamingResponseAsync("Hello", cancellationToken: cancellationToken))
        {
            Assert.NotNull(update);
        }
    }

    private (Task Began, Task Ended) Hang()
    {
        var (began, ended) = (new TaskCompletionSource(), new TaskCompletionSource());
        _inference.Answer = (_, token) => HangAsync(token);
        return (began.Task, ended.Task);

        async IAsyncEnumerable<ReplyPart> HangAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
        {
            try
            {
                began.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                yield break;
            }
            finally
            {
                ended.SetResult();
            }
        }
    }

    private static async IAsyncEnumerable<ReplyPart> Endless(
        TaskCompletionSource ended, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
    {
        try
        {
            while (!token.IsCancellationRequested)
            {
                await Task.Yield();
                yield return FakeInference.Text("on");
            }
        }
        finally
        {
            ended.SetResult();
        }
    }

    private static ReplyPart Call(int index, string members) =>
        FakeInference.Delta(
            $$"""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":{{index}},{{members.Trim()}}}]},"finish_reason":null}]}""");
}
