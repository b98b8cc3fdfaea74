using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.OnnxChat.Scheduling;
using AgentPlatform.Testing.OnnxChat;
using AgentPlatform.Tests.Training.Decoder;
using AgentPlatform.Tests.Worker.Weights;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Onnx;
using AgentPlatform.Worker.Engines.OnnxChat;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Tests.Worker.Engines.OnnxChat;

public sealed class OnnxChatEngineTests : IAsyncLifetime, IDisposable
{
    private const string Hi = """[{"role":"user","content":"Hello the world"}]""";

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly RandomChatModel _files = new(seed: 3);
    private readonly OnnxChatEngine _engine;

    public OnnxChatEngineTests() => _engine = Create(_files.Folder);

    public async Task InitializeAsync()
    {
        await _engine.LoadAsync(CancellationToken.None);
        await _engine.WarmUpAsync(CancellationToken.None);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _engine.Dispose();
        _files.Dispose();
    }

    [Fact]
    public void Traits_say_what_it_can_and_what_the_models_files_say_of_it()
    {
        Assert.Equal([Operation.Chat], _engine.Traits.Operations);
        Assert.True(_engine.Traits is { Replayable: true, Continues: true, Slots: 16, Caveat: "Random weights." });
    }

    [Fact]
    public async Task Greedy_answers_are_the_likeliest_tokens_by_the_models_definition()
    {
        var result = await ResultAsync($$"""{"messages":{{Hi}},"max_tokens":12,"logprobs":true,"ignore_eos":true}""");
        var reference = new ReferenceDecoder(_files.Shape, _files.Weights);
        var tokenizer = AgentPlatform.OnnxChat.Tokens.TokenizerReader.Read(_files.File("tokenizer.json"));
        List<int> tokens = [.. tokenizer.Encode("<|im_start|>user\nHello the world<|im_end|>\n<|im_start|>assistant\n")];
        Assert.Equal(tokens.Count, result.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(12, result.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        foreach (var token in result.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content").EnumerateArray())
        {
            var logits = reference.Logits([.. tokens])[^1];
            var likeliest = Array.IndexOf(logits, logits.Max());
            Assert.Equal(tokenizer.BytesOf(likeliest), token.GetProperty("bytes").EnumerateArray().Select(value => value.GetByte()));
            Assert.Equal(logits[likeliest] - Math.Log(logits.Sum(Math.Exp)), token.GetProperty("logprob").GetDouble(), tolerance: 1e-3);
            tokens.Add(likeliest);
        }
    }

    [Fact]
    public async Task A_stream_has_the_same_text_as_the_whole_answer_and_a_role_an_end_and_usage()
    {
        const string settings = "\"temperature\":1,\"seed\":5,\"max_tokens\":60,\"ignore_eos\":true";
        var whole = await ResultAsync($$"""{"messages":{{Hi}},{{settings}}}""");
        var parts = await ReadAsync($$"""{"messages":{{Hi}},{{settings}}}""", stream: true);
        Assert.Equal("""Delta {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""", parts[0]);
        Assert.Equal("""Delta {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}""", parts[^2]);
        Assert.Equal($"End {whole.GetProperty("usage").GetRawText()}", parts[^1]);
        Assert.Equal(whole.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString(),
            string.Concat(parts.SkipLast(1).Select(Text)));
        Assert.DoesNotContain("role", string.Concat(parts.Skip(1)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_string_ends_the_answer_before_it_wherever_tokens_begin()
    {
        var text = (await ResultAsync($$"""{"messages":{{Hi}},"max_tokens":60,"temperature":1,"seed":2,"ignore_eos":true}"""))
            .GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
        for (var at = 10; at < 30; at++)
        {
            // Of several tokens, since hardly any is of more than one character.
            var stop = text.Substring(at, 4);
            var body = $$"""{"messages":{{Hi}},"max_tokens":60,"temperature":1,"seed":2,"ignore_eos":true,"stop":{{JsonSerializer.Serialize(stop)}}}""";
            var choice = (await ResultAsync(body)).GetProperty("choices")[0];
            Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)],
                choice.GetProperty("message").GetProperty("content").GetString());
            Assert.Equal("stop", choice.GetProperty("finish_reason").GetString());
            var parts = await ReadAsync(body, stream: true);
            Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], string.Concat(parts.SkipLast(1).Select(Text)));
        }
    }

    [Fact]
    public async Task The_models_mark_ends_the_answer_and_is_no_text()
    {
        var mark = _files.Shape.Vocabulary - 2;
        var result = await ResultAsync($$"""{"messages":{{Hi}},"logprobs":true,"logit_bias":{"{{mark}}":100} }""");
        var choice = result.GetProperty("choices")[0];
        Assert.Equal(("", "stop", 0), (
            choice.GetProperty("message").GetProperty("content").GetString(), choice.GetProperty("finish_reason").GetString(),
            choice.GetProperty("logprobs").GetProperty("content").GetArrayLength()));
        Assert.Equal(1, result.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal(
            ["""Delta {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"""],
            (await ReadAsync($$"""{"messages":{{Hi}},"logit_bias":{"{{mark}}":100} }""", stream: true))[..2]);
    }

    [Fact]
    public async Task Characters_never_come_in_halves()
    {
        // The bytes of 😀, forced one after another, are four tokens.
        var tokenizer = AgentPlatform.OnnxChat.Tokens.TokenizerReader.Read(_files.File("tokenizer.json"));
        var parts = new List<string>();
        var halves = new ChatResumeState().Of(new ChatPiece(0, "", [.. tokenizer.Encode("😀").Take(3)], null, null));
        var request = Worker.Requests.Create(stream: true,
            body: $$"""{"messages":{{Hi}},"max_tokens":5,"ignore_eos":true}""") with { PartialAnswer = new PartialAnswer(1, halves) };
        await foreach (var part in _engine.RunAsync(request, CancellationToken.None))
        {
            parts.Add(System.Text.Encoding.UTF8.GetString(part.Payload.Span));
        }

        Assert.DoesNotContain(parts.SelectMany(part => part), char.IsSurrogate);
        Assert.Contains("\\uFFFD", parts[0].Replace("\uFFFD", "\\uFFFD", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logprobs_cover_the_whole_text_and_probabilities_add_up()
    {
        const string settings =
            "\"temperature\":1.2,\"seed\":9,\"max_tokens\":40,\"logprobs\":true,\"top_logprobs\":20,\"ignore_eos\":true";
        var choice = (await ResultAsync($$"""{"messages":{{Hi}},{{settings}}}""")).GetProperty("choices")[0];
        var tokens = choice.GetProperty("logprobs").GetProperty("content").EnumerateArray().ToList();
        Assert.Equal(40, tokens.Count);
        Assert.All(tokens, token =>
        {
            var top = token.GetProperty("top_logprobs").EnumerateArray().Select(other => other.GetProperty("logprob").GetDouble()).ToList();
            Assert.Equal(20, top.Count);
            Assert.Equal(top.OrderDescending(), top);
            Assert.InRange(top.Sum(Math.Exp), 0.05, 1.0001);
            Assert.True(token.GetProperty("logprob").GetDouble() <= top[0]);
        });
        var bytes = tokens.SelectMany(token => token.GetProperty("bytes").EnumerateArray().Select(value => value.GetByte())).ToArray();
        Assert.Equal(choice.GetProperty("message").GetProperty("content").GetString(),
            System.Text.Encoding.UTF8.GetString(bytes).Replace("<|im_start|>", "", StringComparison.Ordinal));

        var streamed = (await ReadAsync($$"""{"messages":{{Hi}},{{settings}}}""", stream: true)).SkipLast(1)
            .Select(part => JsonDocument.Parse(part["Delta ".Length..]).RootElement.GetProperty("choices")[0])
            .Where(delta => delta.TryGetProperty("logprobs", out _))
                .SelectMany(delta => delta.GetProperty("logprobs").GetProperty("content").EnumerateArray());
        Assert.Equal(tokens.Select(token => token.GetRawText()), streamed.Select(token => token.GetRawText()));
    }

    [Fact]
    public async Task At_a_stop_string_logprobs_cover_the_text_that_is_given_and_nothing_behind_it()
    {
        // Letters and what the tokenizer merges of them.
        var letters = string.Join(',', Enumerable.Range('a', 26).Concat(Enumerable.Range(256, 10)).Select(token => $"\"{token}\":50"));
        var body = $$"""{"messages":{{Hi}},"logit_bias":{ {{letters}} },"temperature":1.5,"seed":2,"max_tokens":40,"logprobs":true}""";
        var whole = (await ResultAsync(body)).GetProperty("choices")[0];
        var (all, text) = (TokensOf(whole), whole.GetProperty("message").GetProperty("content").GetString()!);
        Assert.Contains(all, token => token.Length > 2);
        for (var begin = 0; begin < text.Length - 3; begin++)
        {
            var choice = (await ResultAsync($$"""{{body[..^1]}},"stop":{{JsonSerializer.Serialize(text.Substring(begin, 3))}}}"""))
                .GetProperty("choices")[0];
            var (given, told) = (choice.GetProperty("message").GetProperty("content").GetString()!, TokensOf(choice));
            Assert.Equal(all.Take(told.Count), told);
            Assert.StartsWith(given, string.Concat(told), StringComparison.Ordinal);
            Assert.True(told.Count == 0 || string.Concat(told.SkipLast(1)).Length < given.Length, "A token is told that gave nothing.");
        }

        static List<string> TokensOf(JsonElement choice) =>
            [.. choice.GetProperty("logprobs").GetProperty("content").EnumerateArray()
                .Select(token => token.GetProperty("token").GetString()!)];
    }

    [Fact]
    public async Task Each_choice_begins_with_its_role_alone_and_a_worker_that_goes_on_after_any_part_repeats_none()
    {
        const string body = """{"messages":[{"role":"user","content":"Hi"}],"n":3,"temperature":1,"seed":4,"max_tokens":12,"ignore_eos":true,"logprobs":true}""";
        List<(string Payload, byte[] ResumeState)> all = [];
        await foreach (var part in _engine.RunAsync(Worker.Requests.Create(stream: true, body: body), CancellationToken.None))
        {
            all.Add((System.Text.Encoding.UTF8.GetString(part.Payload.Span), part.ResumeState.ToArray()));
        }

        for (var choice = 0; choice < 3; choice++)
        {
            var own = all.FindAll(part => part.Payload.StartsWith($$"""{"choices":[{"index":{{choice}},""", StringComparison.Ordinal));
            Assert.Equal($$$"""{"choices":[{"index":{{{choice}}},"delta":{"role":"assistant","content":""},"finish_reason":null}]}""",
                own[0].Payload);
            Assert.DoesNotContain(own.Skip(1), part => part.Payload.Contains("role", StringComparison.Ordinal));
        }

        for (uint given = 1; given < all.Count - 1; given += given < 5 ? 1u : 3u)
        {
            var begun = new PartialAnswer(given, all.Take((int)given).SelectMany(part => part.ResumeState).ToArray());
            var rest = await _engine.RunAsync(Worker.Requests.Create(stream: true, body: body) with { PartialAnswer = begun },
                CancellationToken.None).ReadAsync().WaitAsync(_limit);
            Assert.Equal(OfChoices(all.Skip((int)given).Select(part => part.Payload)),
                OfChoices(rest.Select(part => part[(part.IndexOf(' ', StringComparison.Ordinal) + 1)..])));
        }

        // The choices' parts may be interleaved in another way, each choice's own order is the answer.
        static IEnumerable<string> OfChoices(IEnumerable<string> payloads) =>
            payloads.OrderBy(payload => payload[..Math.Min(24, payload.Length)], StringComparer.Ordinal);
    }

    [Fact]
    public async Task Several_choices_come_in_one_answer()
    {
        var result = await ResultAsync($$"""{"messages":{{Hi}},"n":2,"temperature":1,"seed":1,"max_tokens":10,"ignore_eos":true}""");
        Assert.Equal([0, 1], result.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.NotEqual(Content(result, 0), Content(result, 1));
        Assert.Equal(20, result.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal(Content(await ResultAsync($$"""{"messages":{{Hi}},"temperature":1,"seed":1,"max_tokens":10,"ignore_eos":true}"""), 0),
            Content(result, 0));

        static string? Content(JsonElement result, int choice) =>
            result.GetProperty("choices")[choice].GetProperty("message").GetProperty("content").GetString();
    }

    [Fact]
    public async Task A_cancelled_request_ends()
    {
        using var cancel = new CancellationTokenSource();
        await using var parts = _engine.RunAsync(
            Worker.Requests.Create(stream: true, body: $$"""{"messages":{{Hi}},"ignore_eos":true}"""), cancel.Token)
                .GetAsyncEnumerator(cancel.Token);
        Assert.True(await parts.MoveNextAsync());
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await parts.MoveNextAsync().AsTask().WaitAsync(_limit))
            {
            }
        });
    }

    [Theory]
    [InlineData("model.onnx")]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    public async Task A_missing_file_is_named(string name)
    {
        File.Delete(_files.File(name));
        Assert.Contains(_files.File(name), await LoadingFailsAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.onnx", "not a model", "model.onnx")]
    [InlineData("config.json", "{", "config.json")]
    [InlineData("config.json", "{}", "max_position_embeddings")]
    [InlineData("tokenizer_config.json", "{}", "chat template")]
    [InlineData("tokenizer_config.json", """{"chat_template":"{{ x | frobnicate }}"}""", "frobnicate")]
    [InlineData("tokenizer_config.json", """{"chat_template":"{{ messages.x.y }}"}""", "undefined")]
    public async Task A_wrong_file_is_named_and_what_is_wrong_with_it(string name, string content, string named)
    {
        _files.Write(name, content);
        Assert.Contains(named, await LoadingFailsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_graph_of_another_layout_is_refused_naming_what_it_lacks()
    {
        _files.Write("model.onnx", File.ReadAllBytes(Path.Combine(Repository.Root, "models", "sentiment", "model.onnx")));
        Assert.Contains("past_key_values.0.key", await LoadingFailsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gpu_without_its_runtime_is_refused_naming_the_package()
    {
        using var engine = Create(_files.Folder, new OnnxOptions { ExecutionProvider = "cuda" });
        var error = await Assert.ThrowsAsync<EngineLoadException>(() => engine.LoadAsync(CancellationToken.None));
        Assert.Contains("Microsoft.ML.OnnxRuntime.Gpu", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static OnnxChatEngine Create(string folder, OnnxOptions? options = null) => new(
        ModelFolders.At(folder), Options.Create(options ?? new OnnxOptions()), Options.Create(new EngineOptions()), Preparations.Create(),
        Meters.OfBatching(),
        NullLogger<OnnxChatEngine>.Instance);

    // {"choices":[{"index":0,"delta":{"content":"…"},…}]}
    private static string Text(string part)
    {
        using var json = JsonDocument.Parse(part["Delta ".Length..]);
        return json.RootElement.GetProperty("choices")[0].GetProperty("delta").TryGetProperty("content", out var content)
            ? content.GetString()!
            : "";
    }

    private async Task<string> LoadingFailsAsync()
    {
        using var engine = Create(_files.Folder);
        return (await Assert.ThrowsAsync<EngineLoadException>(() => engine.LoadAsync(CancellationToken.None))).Message;
    }

    private Task<List<string>> ReadAsync(string body, bool stream) =>
        _engine.RunAsync(Worker.Requests.Create(stream: stream, body: body), CancellationToken.None).ReadAsync().WaitAsync(_limit);

    private async Task<JsonElement> ResultAsync(string body)
    {
        using var json = JsonDocument.Parse(Assert.Single(await ReadAsync(body, stream: false))["Result ".Length..]);
        return json.RootElement.Clone();
    }
}
