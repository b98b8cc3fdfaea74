using AgentPlatform.Api.Requests;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Requests;

/// <summary>A client that leaves takes its work along, wherever it is.</summary>
public sealed class CancellationTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
    private const string Streamed = $$"""{"model":"tiny","stream":true,{{Messages}}}""";
    private const string Whole = $$"""{"model":"tiny",{{Messages}}}""";
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(Chat, Streamed, "queued", 1)]
    [InlineData(Chat, Streamed, "started", 1)]
    [InlineData(Chat, Streamed, "streaming", 1)]
    [InlineData(Chat, Whole, "queued", 1)]
    [InlineData(Chat, Whole, "started", 1)]
    [InlineData("/invoke", Whole, "started", 1)]
    [InlineData("/analyze", """{"text":"Hi"}""", "queued", 1)]
    [InlineData("/batch", $$"""[{"text":"Hi"},{{Whole}},{{Whole}}]""", "queued", 3)]
    public async Task A_client_that_leaves_cancels_all_its_work(string path, string body, string state, int runs)
    {
        await using var host = await ApiHost.StartAsync();
        using var running = new SemaphoreSlim(0);
        using var cancelled = new SemaphoreSlim(0);
        host.Inference.Answer = (_, token) =>
        {
            token.Register(() => cancelled.Release());
            running.Release();
            return Gated(
                new TaskCompletionSource().Task, state switch { "queued" => [], "started" => [Started], _ => [Started, Text("a")] }, [],
                token);
        };
        using var leave = new CancellationTokenSource();
        var sent = host.PostAsync(path, body, leave.Token);
        for (var run = 0; run < runs; run++)
        {
            Assert.True(await running.WaitAsync(_limit));
        }

        if (state == "streaming")
        {
            (await sent).Dispose();
        }
        else
        {
            await leave.CancelAsync();
        }

        for (var run = 0; run < runs; run++)
        {
            Assert.True(await cancelled.WaitAsync(_limit));
        }

        await Wait.UntilAsync(() => host.Get<RequestBodies>().Held == 0);
        if (state != "streaming")
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
        }
    }

    [Fact]
    public async Task A_client_that_leaves_takes_along_nobody_elses_work()
    {
        await using var host = await ApiHost.StartAsync();
        var (gate, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Inference.Answer = (request, token) =>
        {
            if (!request.Stream)
            {
                token.Register(() => cancelled.TrySetResult());
            }

            return Gated(gate.Task, [Text("a")], request.Stream ? [Text("b", "stop"), End()] : [Result("""{"choices":[]}""")], token);
        };
        using var stays = await host.PostAsync(Chat, Streamed);
        using var leave = new CancellationTokenSource();
        var leaves = host.PostAsync(Chat, Whole, leave.Token);
        await Wait.UntilAsync(() => host.Inference.Requests.Count == 2);
        await leave.CancelAsync();
        await cancelled.Task.WaitAsync(_limit);
        gate.SetResult();
        Assert.EndsWith("data: [DONE]\n\n", await stays.Content.ReadAsStringAsync().WaitAsync(_limit), StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
    }
}
