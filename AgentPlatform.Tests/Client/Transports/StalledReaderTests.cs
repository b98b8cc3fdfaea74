using System.Net;
using AgentPlatform.Tests.Api.Connections;
using AgentPlatform.Tests.Inference.OpenAI;

namespace AgentPlatform.Tests.Client.Transports;

/// <summary>A client that asks for a stream and does not read it keeps no slot of an engine, wherever that is.</summary>
public sealed class StalledReaderTests
{
    private const string Streamed = """{"model":"m","stream":true,"max_tokens":1000000,"messages":[{"role":"user","content":"Hi"}]}""";
    private static readonly string _event =
        $$$"""data: {"choices":[{"index":0,"delta":{"content":"{{{new string('x', 16 * 1024)}}}"},"finish_reason":null}]}""" + "\n\n";
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);

    // Of these two the first one counts only if the other is far away.
    private static readonly (string, string)[] _byDeadline = [("Api:StallTimeout", "00:05:00"), ("Api:MinDataRate", "1")];
    private static readonly (string, string)[] _byRate = [("Api:StallTimeout", "00:00:01.100"), ("Api:MinDataRate", "1048576")];

    [Theory]
    [InlineData("openai", true)]
    [InlineData("openai", false)]
    [InlineData("http", true)]
    [InlineData("http", false)]
    public async Task The_server_behind_a_transport_is_left_at_the_deadline_or_once_too_little_was_read(string transport, bool byDeadline)
    {
        await using var server = await UpstreamServer.StartAsync();
        var left = new TaskCompletionSource();
        server.Answer = (context, _) =>
        {
            context.Response.ContentType = "text/event-stream";
            return UpstreamServer.RepeatAsync(context, _event, left);
        };
        await using var gateway = await ServiceHost.GatewayAsync([
            ("Models:0:Name", "m"), ("Models:0:Transport", transport),
            ("Models:0:Endpoint", $"{server.Address}{(transport == "openai" ? "v1" : "")}"), .. byDeadline ? _byDeadline : _byRate,
        ]);
        using var connection = await RawConnection.OpenAsync(gateway.Address, receiveBuffer: 4096);
        await connection.PostAsync("/v1/chat/completions", Streamed, $"x-request-timeout: {(byDeadline ? 3 : 600)}");
        await left.Task.WaitAsync(_limit);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_workers_slot_is_free_for_the_next_request_on_its_own_port(bool byDeadline)
    {
        (string Key, string Value)[] settings =
        [
            ("Engine:Slots", "1"), ("Simulated:AnswerTokens", "1000000"),
            ("Simulated:TimeToFirstToken", "00:00:00"), ("Simulated:TimePerToken", "00:00:00"), .. byDeadline ? _byDeadline : _byRate,
        ];
        await using var worker = await ServiceHost.WorkerAsync(settings);
        await worker.ReadyAsync();
        using var connection = await RawConnection.OpenAsync(worker.Address, receiveBuffer: 4096);
        await connection.PostAsync("/v1/chat/completions", Streamed, $"x-request-timeout: {(byDeadline ? 3 : 600)}");
        await connection.ReadSomeAsync();

        const string Whole = """{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"Hi"}]}""";
        Assert.Equal(HttpStatusCode.OK, (await worker.PostAsync("/v1/chat/completions", Whole)).Status);
    }
}
