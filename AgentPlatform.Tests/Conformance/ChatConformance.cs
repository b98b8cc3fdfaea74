using System.Net;
using System.Text.Json;

namespace AgentPlatform.Tests.Conformance;

/// <summary>
/// What every chat engine does alike, seen by a client of the worker's HTTP surface. Each engine, and each server behind one, has a class
/// of these tests.
/// </summary>
public abstract class ChatConformance<TSubject>(TSubject subject) : IClassFixture<TSubject>
    where TSubject : ChatSubject
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private static readonly string[] _questions = ["Hello!", "How do I add a GPU pool?", "How do I plug in vLLM?", "Wie geht's? 😀 日本"];

    [Fact]
    public async Task A_stream_begins_with_the_role_and_ends_with_a_finish_reason_usage_and_done()
    {
        var stream = (await subject.StreamAsync(Ask(_questions[0], ""","stream":true,"stream_options":{"include_usage":true}""")))
            .CheckShape();
        Assert.NotEmpty(stream.Text());
        Assert.All(stream.Chunks.SkipLast(1), chunk => Assert.Equal(JsonValueKind.Null, chunk.GetProperty("usage").ValueKind));
        Assert.Equal(0, stream.Chunks[^1].GetProperty("choices").GetArrayLength());
        var usage = stream.Usage!.Value;
        Assert.True(usage.GetProperty("completion_tokens").GetInt32() > 0);
        Assert.Equal(
            usage.GetProperty("total_tokens").GetInt32(),
            usage.GetProperty("prompt_tokens").GetInt32() + usage.GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task A_stream_tells_no_usage_unless_it_is_asked_for()
    {
        var stream = (await subject.StreamAsync(Ask(_questions[0], ""","stream":true"""))).CheckShape();
        Assert.Null(stream.Usage);
        Assert.All(stream.Chunks, chunk => Assert.Equal(1, chunk.GetProperty("choices").GetArrayLength()));
    }

    [Fact]
    public async Task A_whole_answer_is_what_its_stream_is()
    {
        foreach (var question in _questions)
        {
            var stream = (await subject.StreamAsync(Ask(question, ""","stream":true"""))).CheckShape();
            var whole = await subject.CompleteAsync(Ask(question));
            Assert.Equal((stream.Text(), stream.FinishReason()), (whole.Text, Assert.Single(whole.FinishReasons)));
            Assert.True(whole.PromptTokens > 0 && whole.CompletionTokens > 0);
        }
    }

    [Fact]
    public async Task A_stop_string_ends_the_text_before_it()
    {
        var text = (await subject.CompleteAsync(Ask(_questions[1]))).Text;

        // It begins and ends inside of words, and so very likely of tokens.
        var at = text.IndexOf(' ', StringComparison.Ordinal) + 2;
        var stop = text.Substring(at, Math.Min(6, text.Length - at));
        at = text.IndexOf(stop, StringComparison.Ordinal);
        var more = $$""","stop":[{{JsonSerializer.Serialize(stop)}}]""";
        var whole = await subject.CompleteAsync(Ask(_questions[1], more));
        Assert.Equal((text[..at], "stop"), (whole.Text, Assert.Single(whole.FinishReasons)));
        var stream = (await subject.StreamAsync(Ask(_questions[1], more + ""","stream":true"""))).CheckShape();
        Assert.Equal((text[..at], "stop"), (stream.Text(), stream.FinishReason()));
    }

    [Fact]
    public async Task A_limit_of_tokens_ends_the_text_for_its_length()
    {
        var text = (await subject.CompleteAsync(Ask(_questions[1]))).Text;
        foreach (var field in new[] { "max_tokens", "max_completion_tokens" })
        {
            var whole = await subject.CompleteAsync(Ask(_questions[1], tokens: 3, limit: field));
            Assert.Equal(("length", 3), (Assert.Single(whole.FinishReasons), whole.CompletionTokens));
            Assert.StartsWith(whole.Text, text, StringComparison.Ordinal);
            Assert.True(whole.Text.Length < text.Length);
        }

        Assert.Equal(
            "length", (await subject.StreamAsync(Ask(_questions[1], ""","stream":true""", tokens: 3))).CheckShape().FinishReason());
    }

    [Fact]
    public async Task A_seed_repeats_its_text()
    {
        var request =
            $$"""{"model":"{{ChatSubject.Model}}","messages":[{"role":"user","content":"{{_questions[0]}}"}],"temperature":1,"seed":"""
                + """7,"max_completion_tokens":32}""";
        Assert.Equal((await subject.CompleteAsync(request)).Text, (await subject.CompleteAsync(request)).Text);
    }

    [Fact]
    public async Task Several_choices_have_their_numbers()
    {
        Assert.Equal(2, (await subject.CompleteAsync(Ask(_questions[0], ""","n":2"""))).Texts.Count);
        var stream = (await subject.StreamAsync(Ask(_questions[0], ""","n":2,"stream":true"""))).CheckShape();
        Assert.NotEmpty(stream.Text(0));
        Assert.NotEmpty(stream.Text(1));
    }

    [Theory]
    [InlineData(
        """{"model":"tiny-chat","messages":[{"role":"user","content":"Hi"}],"temperature":"hot"}""", 400, "temperature", "invalid_type")]
    [InlineData("""{"model":"nobody","messages":[{"role":"user","content":"Hi"}]}""", 404, "model", "model_not_found")]
    [InlineData("""{"model":"tiny-chat"}""", 400, "messages", "missing_required_parameter")]
    public async Task A_mistake_is_told_in_OpenAIs_envelope(string request, int status, string param, string code)
    {
        using var response = await subject.PostAsync("/v1/chat/completions", request);
        Assert.Equal(status, (int)response.StatusCode);
        var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("error");
        Assert.Equal(
            ("invalid_request_error", param, code),
            (error.GetProperty("type").GetString(), error.GetProperty("param").GetString(), error.GetProperty("code").GetString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","stream":true""")]
    public async Task A_prompt_that_is_too_long_is_refused_with_the_numbers(string more)
    {
        if (subject.ContextSize is not { } size)
        {
            return;
        }

        using var response = await subject.PostAsync(
            "/v1/chat/completions", Ask(string.Concat(Enumerable.Repeat("How do I add a GPU pool? ", size / 6)), more));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("error");
        Assert.Equal(
            ("invalid_request_error", "context_length_exceeded"),
            (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
        Assert.Contains($"{size}", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_frees_its_slot()
    {
        var request =
            $$"""{"model":"{{ChatSubject.Model}}","messages":[{"role":"user","content":"{{_questions[2]}}"}],"temperature":1,"seed":"""
                + """1,"stream":true}""";
        for (var i = 0; i < 3; i++)
        {
            using (var response = await subject.PostAsync("/v1/chat/completions", request, HttpCompletionOption.ResponseHeadersRead))
            {
                Assert.True(response.StatusCode == HttpStatusCode.OK, $"{response.StatusCode}");
            }
        }

        await Wait.UntilAsync(() => subject.ActiveSlots == 0).WaitAsync(_limit);
    }

    [Fact]
    public async Task Streams_that_run_at_once_do_not_mix()
    {
        var alone = new Dictionary<string, string>();
        foreach (var question in _questions)
        {
            alone[question] = (await subject.StreamAsync(Ask(question, ""","stream":true"""))).CheckShape().Text();
        }

        var together = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
            (
                Question: _questions[i % _questions.Length],
                Text: (await subject.StreamAsync(Ask(_questions[i % _questions.Length], ""","stream":true"""))).CheckShape().Text())));
        Assert.All(together, answer => Assert.Equal(alone[answer.Question], answer.Text));
    }

    [Fact]
    public async Task Invoke_and_batch_answer_as_v1_does()
    {
        var expected = new List<string>();
        foreach (var question in _questions[..2])
        {
            expected.Add((await subject.CompleteAsync(Ask(question))).Text);
        }

        Assert.Equal(expected[0], (await subject.CompleteAsync(Ask(_questions[0]), "/invoke")).Text);
        using var response = await subject.PostAsync("/batch", $"[{Ask(_questions[0])},{{\"messages\":7}},{Ask(_questions[1])}]");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var answers = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.EnumerateArray().ToList();
        Assert.Equal(3, answers.Count);
        Assert.Equal(expected, [WholeChat.Read(answers[0]).Text, WholeChat.Read(answers[2]).Text]);
        Assert.Equal("messages", answers[1].GetProperty("error").GetProperty("param").GetString());
    }

    [Fact]
    public async Task OpenAIs_own_client_reads_streams_answers_and_errors()
    {
        var whole = await subject.CompleteAsync(Ask(_questions[0]));
        await OfficialClient.CheckAsync(subject.Address, _questions[0], 32, whole);
    }

    /// <summary>A request that is answered the same whenever it is asked.</summary>
    private static string Ask(string question, string more = "", int tokens = 32, string limit = "max_completion_tokens") =>
        $$"""{"model":"{{ChatSubject.Model}}","messages":[{"role":"user","content":{{JsonSerializer.Serialize(question)}}}]"""
            + $$""","temperature":0,"{{limit}}":{{tokens}}{{more}}}""";
}
