using System.Net;
using System.Text.Json;
using AgentPlatform.Api.Limits;

namespace AgentPlatform.Tests.Api.Limits;

public sealed class RequestLimitsTests
{
    private const string Message = """{"role":"user","content":"Hi"}""";

    private static readonly (string, string)[] _limits =
    [
        ("Api:Limits:MaxMessages", "3"), ("Api:Limits:MaxParts", "2"), ("Api:Limits:MaxToolCalls", "2"), ("Api:Limits:MaxTools", "2"),
        ("Api:Limits:MaxStopSize", "4"),
        ("Api:Limits:MaxTextSize", "8"), ("Api:Limits:MaxValues", "1000"),
    ];

    public static TheoryData<string, string?, int> Requests => new()
    {
        { $$"""{"model":"tiny","messages":[{{Many(Message, 4)}}]}""", "messages", 3 },
        {
            $$"""{"model":"tiny","messages":[{{Message}},{"role":"user","content":[{{Many("""{"type":"text","text":"a"}""", 3)}}]}]}""",
            "messages[1].content", 2
        },
        { $$"""{"model":"tiny","messages":[{"role":"assistant","tool_calls":[{{Many("{}", 3)}}]}]}""", "messages[0].tool_calls", 2 },
        { $$"""{"model":"tiny","messages":[{{Message}}],"tools":[{{Many("{}", 3)}}]}""", "tools", 2 },
        { $$"""{"model":"tiny","messages":[{{Message}}],"functions":[{{Many("{}", 3)}}]}""", "functions", 2 },
        { $$"""{"model":"tiny","messages":[{{Message}}],"stop":"12345"}""", "stop", 4 },
        { $$"""{"model":"tiny","messages":[{{Message}}],"stop":["1","12345"]}""", "stop[1]", 4 },
        { $$"""{"model":"tiny","messages":[{{Message}}],"unknown":[{{Many("[]", 1000)}}]}""", null, 1000 },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task A_chat_of_more_than_may_be_is_400_naming_field_and_limit_on_every_route(string request, string? field, int limit)
    {
        await using var host = await ApiHost.StartAsync(_limits);
        foreach (var (path, body) in new[] { ("/v1/chat/completions", request), ("/invoke", request), ("/batch", $"[{request}]") })
        {
            using var response = await host.PostAsync(path, body);
            var said = await response.Content.ReadAsStringAsync();
            Assert.Equal(path == "/batch" && field is not null ? HttpStatusCode.OK : HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Contains(field ?? "The body", said, StringComparison.Ordinal);
            Assert.Contains($" {limit} ", said, StringComparison.Ordinal);
        }

        Assert.Empty(host.Inference.Requests);
    }

    [Fact]
    public async Task A_text_to_analyze_that_is_too_long_is_400_naming_field_and_limit()
    {
        await using var host = await ApiHost.StartAsync(_limits);
        using var response = await host.PostAsync("/analyze", """{"text":"123456789"}""");
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(400, json.RootElement.GetProperty("status").GetInt32());
        Assert.Contains("'text' must be at most 8 bytes", json.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);

        using var batch = await host.PostAsync("/batch", """[{"text":"123456789"}]""");
        Assert.Contains("'text' must be at most 8 bytes", await batch.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(host.Inference.Requests);
    }

    [Fact]
    public async Task A_worker_alone_has_the_same_limits()
    {
        await using var worker = await ServiceHost.WorkerAsync(_limits);
        await worker.ReadyAsync();
        var (status, body) = await worker.PostAsync("/v1/chat/completions", $$"""{"model":"m","messages":[{{Many(Message, 4)}}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("'messages' must be at most 3 messages", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Thousands_of_messages_and_a_hundred_tools_fit()
    {
        await using var host = await ApiHost.StartAsync();
        var tools = Many(
            """{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"},"b":"""
                + """{"type":"array","items":{"type":"number"}}}}}}""",
            128);
        using var response = await host.PostAsync(
            "/v1/chat/completions", $$"""{"model":"tiny","messages":[{{Many(Message, 5_000)}}],"tools":[{{tools}}]}""");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData(768, 96)]
    [InlineData(64, 16)]
    [InlineData(65_536, 256)]
    public void Bodies_may_take_an_eighth_of_the_memory_within_bounds(long available, long expected) =>
        Assert.Equal(expected << 20, MemoryShare.OfBodies(available << 20));

    [Theory]
    [InlineData(768, 16, 10, 16)]
    [InlineData(384, 16, 10, 9)]
    [InlineData(16, 16, 10, 1)]
    public void Jobs_of_the_largest_size_may_take_a_quarter(long available, int slots, int largest, int expected) =>
        Assert.Equal(expected, MemoryShare.OfJobs(available << 20, slots, largest << 20));

    [Fact]
    public void The_room_for_bodies_is_that_of_this_processs_memory() =>
        Assert.Equal(MemoryShare.OfBodies(MemoryShare.Available), new InferenceApiOptions().MaxTotalBodySize);

    private static string Many(string item, int count) => string.Join(',', Enumerable.Repeat(item, count));
}
