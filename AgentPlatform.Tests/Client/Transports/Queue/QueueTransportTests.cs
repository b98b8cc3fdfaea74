using System.Net;
using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Tests.Broker;
using AgentPlatform.Tests.Gateway;
using AgentPlatform.Tests.Messaging;

namespace AgentPlatform.Tests.Client.Transports.Queue;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class QueueTransportTests(RabbitMQServer server)
{
    private const string Stream = """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
    private const string Whole = """{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""";

    private readonly string _version = Guid.NewGuid().ToString("N");

    [Fact]
    public async Task A_stream_and_a_whole_answer_come_through_the_queue()
    {
        await using var host = Host();
        using var client = await ReadyClientAsync(host);
        await using var worker = await WorkerAsync();

        var streamed = GatewayHost.PostAsync(client, "/v1/chat/completions", Stream);
        var (delivery, writer) = await TakeAsync(worker);
        Assert.Equal(Stream, Encoding.UTF8.GetString(delivery.Request.Body.Span));
        writer.Start(new StartedNote("w").ToUtf8());
        writer.Write(new ReplyPart(ReplyKind.Delta, """{"choices":[1]}"""u8.ToArray()));
        Assert.True(await writer.CompleteAsync(new ReplyPart(ReplyKind.End, default)));
        await delivery.AcknowledgeAsync();
        writer.Dispose();
        Assert.EndsWith("\"model\":\"tiny\",\"choices\":[1]}\n\ndata: [DONE]\n\n", (await streamed).Body, StringComparison.Ordinal);

        var whole = GatewayHost.PostAsync(client, "/v1/chat/completions", Whole);
        (delivery, writer) = await TakeAsync(worker);
        Assert.True(await writer.FailAsync(InferenceError.Invalid("Too long.", "messages"), "w"));
        await delivery.AcknowledgeAsync();
        writer.Dispose();
        var (status, body) = await whole;
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("\"param\":\"messages\"", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_strangers_trace_and_baggage_are_in_no_job_unless_callers_are_trusted(bool isTrusted)
    {
        await using var host = Host(("Edge:TrustTraceContext", $"{isTrusted}"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"));
        using var client = await ReadyClientAsync(host);
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        client.DefaultRequestHeaders.Add("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
        client.DefaultRequestHeaders.Add("tracestate", "vendor=stranger");
        client.DefaultRequestHeaders.Add("baggage", "inside=stranger");
        using var leave = new CancellationTokenSource();
        using var content = new StringContent(Whole, Encoding.UTF8, "application/json");
        var sent = client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, leave.Token);
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        RabbitMQ.Client.BasicGetResult? job = null;
        var queue = QueueNames.Job("tiny", _version);
        await Side.UntilAsync(async () => (job = await channel.BasicGetAsync(queue, autoAck: true)) is not null);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);

        var headers = string.Join('\n', job!.BasicProperties.Headers!.Select(
            header => $"{header.Key}: {(header.Value is byte[] utf8 ? Encoding.UTF8.GetString(utf8) : header.Value)}"));
        Assert.Contains("traceparent: 00-", headers, StringComparison.Ordinal);
        Assert.Equal(isTrusted, headers.Contains(Trace, StringComparison.Ordinal));
        Assert.Equal(isTrusted, headers.Contains("stranger", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_its_job()
    {
        await using var host = Host();
        using var client = await ReadyClientAsync(host);
        await using var worker = await WorkerAsync();
        using var leave = new CancellationTokenSource();
        using var content = new StringContent(Stream, Encoding.UTF8, "application/json");
        var sent = client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, leave.Token);
        var (delivery, writer) = await TakeAsync(worker);
        using var work = new CancellationTokenSource();
        using var watch = worker.Get<Cancellations>().Watch(delivery.Request.RequestId, 0, work);

        await leave.CancelAsync();
        await Side.UntilAsync(() => Task.FromResult(work.IsCancellationRequested));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
        writer.Dispose();
        await delivery.AcknowledgeAsync();
    }

    [Fact]
    public async Task A_passed_deadline_is_504_and_cancels_the_job()
    {
        await using var host = Host(("Api:DefaultDeadline", "00:00:02"));
        using var client = await ReadyClientAsync(host);
        await using var worker = await WorkerAsync();
        var sent = GatewayHost.PostAsync(client, "/v1/chat/completions", Whole);
        var (delivery, writer) = await TakeAsync(worker);
        using var work = new CancellationTokenSource();
        using var watch = worker.Get<Cancellations>().Watch(delivery.Request.RequestId, 0, work);

        Assert.Equal(HttpStatusCode.GatewayTimeout, (await sent).Status);
        await Side.UntilAsync(() => Task.FromResult(work.IsCancellationRequested));
        writer.Dispose();
        await delivery.AcknowledgeAsync();
    }

    [Fact]
    public async Task Without_a_broker_requests_are_refused_at_once_by_a_gateway_that_stays_where_clients_find_it()
    {
        await using var host = new GatewayHost(("Models:0:Name", "tiny"), ("ConnectionStrings:messaging", "amqp://127.0.0.1:9"));
        using var client = host.CreateClient();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync(new Uri("/health", UriKind.Relative))).StatusCode);
        using var content = new StringContent(Whole, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter?.Delta);

        // Kubernetes sends to it for as long as the broker is away: all gateways would be gone else, and nobody there to say when to come
        // again.
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/ready", UriKind.Relative))).StatusCode);
    }

    private GatewayHost Host(params (string Key, string Value)[] settings) =>
        new([("Models:0:Name", "tiny"), ("Models:0:Version", _version), ("ConnectionStrings:messaging", server.ConnectionString), .. settings]);

    private static async Task<HttpClient> ReadyClientAsync(GatewayHost host)
    {
        var client = host.CreateClient();
        await Side.UntilAsync(async () => (await client.GetAsync(new Uri("/health", UriKind.Relative))).IsSuccessStatusCode);
        return client;
    }

    private async Task<Side> WorkerAsync()
    {
        var worker = await Side.WorkerAsync(server, QueueNames.Job("tiny", _version), prefetch: 4);
        await worker.Get<IJobReceiver>().AttachAsync(CancellationToken.None);
        return worker;
    }

    private static async Task<(Delivery Delivery, FrameWriter Writer)> TakeAsync(Side worker)
    {
        await using var deliveries = worker.Get<JobInbox>().ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await deliveries.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        var delivery = deliveries.Current;
        var writer = worker.Get<FrameSender>().Open(delivery.ReplyQueue, delivery.Request.RequestId);
        writer.Begin(attempt: 0, offset: 0);
        return (delivery, writer);
    }
}
