using System.Net;
using System.Text;
using AgentPlatform.Api.Replay;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Replay;

public sealed class ResumeTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Streamed = """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Events_carry_ids_and_heartbeats_none()
    {
        await using var host = await ApiHost.StartAsync();
        var gate = new TaskCompletionSource();
        host.Inference.Answer = (_, token) => Gated(gate.Task, [Text("a")], [Text("b", "stop"), End("""{"total_tokens":3}""")], token);
        using var response = await PostAsync(
            host,
            body: Streamed.Replace(
                "\"stream\":true", "\"stream\":true,\"stream_options\":{\"include_usage\":true}", StringComparison.Ordinal));
        var id = host.Inference.Requests.Single().RequestId;
        Assert.Equal(id.ToString(), response.Headers.GetValues("x-request-id").Single());
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal($"id: {id}:0", (await EventAsync(reader))[0]);

        var silence = reader.ReadLineAsync();
        while (!silence.IsCompleted)
        {
            host.Time.Advance(TimeSpan.FromSeconds(15));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        Assert.Equal(": heartbeat", await silence);
        gate.SetResult();
        var rest = await reader.ReadToEndAsync().WaitAsync(_limit);
        var events = rest.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(block => block.Replace(": heartbeat\n", "", StringComparison.Ordinal)).ToList();
        Assert.Equal([$"id: {id}:1", $"id: {id}:2", $"id: {id}:3"], events.Select(block => block.Split('\n')[0]));
        Assert.Equal("data: [DONE]", events[^1].Split('\n')[1]);
    }

    [Fact]
    public async Task A_client_that_comes_back_goes_on_behind_its_last_event_without_loss()
    {
        await using var host = await ApiHost.StartAsync();
        var (gate, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Inference.Answer = (_, token) =>
        {
            token.Register(() => cancelled.TrySetResult());
            return Gated(gate.Task, [Text("a"), Text("b"), Text("c")], [Text("d"), Text("e", "stop"), End()], token);
        };
        var begun = await PostAsync(host);
        string id;
        string first;
        using (var reader = new StreamReader(await begun.Content.ReadAsStreamAsync()))
        {
            var lines = await EventAsync(reader);
            id = lines[0]["id: ".Length..];
            first = string.Concat(lines.Select(line => line + "\n")) + "\n";
        }

        begun.Dispose();
        host.Time.Advance(TimeSpan.FromSeconds(50));
        using var resumed = await PostAsync(host, lastEvent: id);
        Assert.Equal(HttpStatusCode.OK, resumed.StatusCode);
        Assert.Equal("text/event-stream", resumed.Content.Headers.ContentType!.ToString());
        host.Time.Advance(TimeSpan.FromSeconds(50));
        gate.SetResult();
        var rest = await resumed.Content.ReadAsStringAsync().WaitAsync(_limit);
        Assert.DoesNotContain(": heartbeat\n: heartbeat", rest, StringComparison.Ordinal);

        using var again = await PostAsync(host, lastEvent: id);
        var whole = first + await again.Content.ReadAsStringAsync();
        Assert.Equal(whole, first + rest.Replace(": heartbeat\n", "", StringComparison.Ordinal));
        Assert.Equal(["a", "b", "c", "d", "e"], whole.Split("\"content\":\"").Skip(1).Select(piece => piece[..1]));
        Assert.Equal(6, whole.Split("\nid: ").Length);

        using var nothing = await PostAsync(host, lastEvent: id.Replace(":0", ":5", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, nothing.StatusCode);
        Assert.Empty(await nothing.Content.ReadAsStringAsync());
        Assert.False(cancelled.Task.IsCompleted);
        Assert.Single(host.Inference.Requests);

        host.Time.Advance(TimeSpan.FromMinutes(1));
        using var late = await PostAsync(host, lastEvent: id);
        Assert.Equal(HttpStatusCode.NotFound, late.StatusCode);
        Assert.Contains("\"code\":\"stream_not_found\"", await late.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_whose_client_does_not_come_back_frees_its_slot()
    {
        await using var host = await ApiHost.StartAsync();
        var cancelled = new TaskCompletionSource();
        host.Inference.Answer = (_, token) =>
        {
            token.Register(cancelled.SetResult);
            return Gated(new TaskCompletionSource().Task, [Text("a")], [], token);
        };
        (await PostAsync(host)).Dispose();
        await Wait.UntilAsync(() => host.Get<RecordedResponses>().Readers == 0);
        host.Time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(cancelled.Task.IsCompleted);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await cancelled.Task.WaitAsync(_limit);
        await Wait.UntilAsync(() => (host.Get<RecordedResponses>().Count, host.Get<RecordedResponses>().Charged) == (0, 0));
    }

    [Fact]
    public async Task A_whole_answer_cannot_be_gone_on_with_and_ends_with_its_client()
    {
        await using var host = await ApiHost.StartAsync();
        var (running, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Inference.Answer = (_, token) =>
        {
            token.Register(cancelled.SetResult);
            running.SetResult();
            return Gated(new TaskCompletionSource().Task, [], [], token);
        };
        using var leave = new CancellationTokenSource();
        var sent = PostAsync(host, body: Streamed.Replace("true", "false", StringComparison.Ordinal), cancellationToken: leave.Token);
        await running.Task.WaitAsync(_limit);
        await leave.CancelAsync();
        await cancelled.Task.WaitAsync(_limit);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
    }

    [Fact]
    public async Task With_a_key_a_stream_can_be_had_from_its_beginning_or_be_gone_on_with()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(Text("a"), Text("b", "stop"), End());
        using var first = await PostAsync(host, key: "k");
        var text = await first.Content.ReadAsStringAsync();
        using var retry = await PostAsync(host, key: "k");
        Assert.Equal(text, await retry.Content.ReadAsStringAsync());
        using var resumed = await PostAsync(host, key: "k", lastEvent: $"{host.Inference.Requests.Single().RequestId}:0");
        Assert.Equal(text[(text.IndexOf("\n\n", StringComparison.Ordinal) + 2)..], await resumed.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("nonsense", 400, "invalid_value")]
    [InlineData("{id}:-1", 400, "invalid_value")]
    [InlineData("{id}:99", 404, "stream_not_found")]
    [InlineData("0199d0c4-7a3e-7c5b-9a51-2f6f0c8e4d11:0", 404, "stream_not_found")]
    public async Task An_event_that_is_none_is_an_error(string id, int status, string code)
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(Text("a", "stop"), End());
        (await PostAsync(host)).Dispose();
        var stream = host.Inference.Requests.Single().RequestId;
        using var response = await PostAsync(host, lastEvent: id.Replace("{id}", stream.ToString(), StringComparison.Ordinal));
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains($"\"code\":\"{code}\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_is_there_for_its_caller_and_its_request_only()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(Text("a", "stop"), End());
        (await PostAsync(host)).Dispose();
        var id = $"{host.Inference.Requests.Single().RequestId}:0";
        using var stranger = await PostAsync(host, lastEvent: id, authorization: "Bearer other");
        Assert.Equal(HttpStatusCode.NotFound, stranger.StatusCode);
        using var other = await PostAsync(host, lastEvent: id, body: Streamed.Replace("Hi", "Ho", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Conflict, other.StatusCode);
        Assert.Contains("\"code\":\"resume_mismatch\"", await other.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task<List<string>> EventAsync(StreamReader reader)
    {
        var lines = new List<string>();
        while (await reader.ReadLineAsync().WaitAsync(_limit) is { Length: > 0 } line)
        {
            lines.Add(line);
        }

        return lines;
    }

    private static async Task<HttpResponseMessage> PostAsync(
        ApiHost host, string? lastEvent = null, string? key = null, string? authorization = null, string body = Streamed,
        CancellationToken cancellationToken = default)
    {
        var headers = new List<(string, string)> { ("x-stream-resume", "true") };
        headers.AddRange(
            new[] { ("Last-Event-ID", lastEvent), ("Idempotency-Key", key), ("Authorization", authorization) }.OfType<(string, string)>()
                .Where(header => header.Item2 is not null));
        return await host.PostAsync(Chat, Encoding.UTF8.GetBytes(body), cancellationToken, [.. headers]);
    }
}
