using System.Net;
using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.InMemory;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Tests.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Tests.Client.Transports.Queue;

public sealed class QueueTransportTests : IDisposable
{
    private const string Stream = """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
    private const string Whole = """{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""";

    private static readonly string _queue = QueueNames.Job("tiny", "1");

    private readonly InMemoryBroker _broker = new(TimeProvider.System);

    public void Dispose() => _broker.Dispose();

    [Fact]
    public async Task A_stream_and_a_whole_answer_come_through_the_queue()
    {
        await using var host = await HostAsync();
        await using var worker = await WorkerAsync();

        var streamed = host.PostAsync("/v1/chat/completions", Stream);
        var (delivery, writer) = await TakeAsync(worker);
        Assert.Equal(Stream, Encoding.UTF8.GetString(delivery.Request.Body.Span));
        writer.Start(new StartedNote("w").ToUtf8());
        writer.Write(new ReplyPart(ReplyKind.Delta, """{"choices":[1]}"""u8.ToArray()));
        Assert.True(await writer.CompleteAsync(new ReplyPart(ReplyKind.End, default)));
        await delivery.AcknowledgeAsync();
        writer.Dispose();
        Assert.EndsWith("\"model\":\"tiny\",\"choices\":[1]}\n\ndata: [DONE]\n\n", (await streamed).Body, StringComparison.Ordinal);

        var whole = host.PostAsync("/v1/chat/completions", Whole);
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
        await using var host = await HostAsync(
            ("Edge:TrustTraceContext", $"{isTrusted}"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"));
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        host.Http.DefaultRequestHeaders.Add("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
        host.Http.DefaultRequestHeaders.Add("tracestate", "vendor=stranger");
        host.Http.DefaultRequestHeaders.Add("baggage", "inside=stranger");
        using var leave = new CancellationTokenSource();
        using var content = new StringContent(Whole, Encoding.UTF8, "application/json");
        var sent = host.Http.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, leave.Token);
        var taken = new JobCatcher();
        await using var worker = await MessagingHost.WorkerAsync(
            services => AddBroker(services.AddSingleton<IJobHandler>(taken)), _queue, prefetch: 1);
        await worker.Get<IJobReceiver>().AttachAsync(CancellationToken.None);
        var job = await taken.Job.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);

        var headers = string.Join('\n', job.Headers.Select(header => $"{header.Key}: {header.Value}"));
        Assert.Contains("traceparent: 00-", headers, StringComparison.Ordinal);
        Assert.Equal(isTrusted, headers.Contains(Trace, StringComparison.Ordinal));
        Assert.Equal(isTrusted, headers.Contains("stranger", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_its_job()
    {
        await using var host = await HostAsync();
        await using var worker = await WorkerAsync();
        using var leave = new CancellationTokenSource();
        using var content = new StringContent(Stream, Encoding.UTF8, "application/json");
        var sent = host.Http.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, leave.Token);
        var (delivery, writer) = await TakeAsync(worker);
        using var work = new CancellationTokenSource();
        using var watch = worker.Get<Cancellations>().Watch(delivery.Request.RequestId, 0, work);

        await leave.CancelAsync();
        await Wait.UntilAsync(() => work.IsCancellationRequested);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
        writer.Dispose();
        await delivery.AcknowledgeAsync();
    }

    [Fact]
    public async Task A_passed_deadline_is_504_and_cancels_the_job()
    {
        await using var host = await HostAsync(("Api:DefaultDeadline", "00:00:02"));
        await using var worker = await WorkerAsync();
        var sent = host.PostAsync("/v1/chat/completions", Whole);
        var (delivery, writer) = await TakeAsync(worker);
        using var work = new CancellationTokenSource();
        using var watch = worker.Get<Cancellations>().Watch(delivery.Request.RequestId, 0, work);

        Assert.Equal(HttpStatusCode.GatewayTimeout, (await sent).Status);
        await Wait.UntilAsync(() => work.IsCancellationRequested);
        writer.Dispose();
        await delivery.AcknowledgeAsync();
    }

    [Fact]
    public async Task Without_a_broker_requests_are_refused_at_once_by_a_gateway_that_stays_where_clients_find_it()
    {
        await using var host = await ServiceHost.GatewayAsync(
            ("Models:0:Name", "tiny"), ("ConnectionStrings:messaging", "amqp://127.0.0.1:9"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await host.Http.GetAsync(new Uri("/health", UriKind.Relative))).StatusCode);
        using var content = new StringContent(Whole, Encoding.UTF8, "application/json");
        using var response = await host.Http.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter?.Delta);

        // Kubernetes sends to it for as long as the broker is away: all gateways would be gone else, and nobody there to say when to come
        // again.
        Assert.Equal(HttpStatusCode.OK, (await host.Http.GetAsync(new Uri("/ready", UriKind.Relative))).StatusCode);
    }

    private async Task<ServiceHost> HostAsync(params (string Key, string Value)[] settings) =>
        await (await ServiceHost.GatewayAsync(AddBroker, [("Models:0:Name", "tiny"), .. settings])).ReadyAsync();

    private void AddBroker(IServiceCollection services) => services.AddInMemoryBroker(_broker);

    private async Task<MessagingHost> WorkerAsync()
    {
        var worker = await MessagingHost.WorkerAsync(AddBroker, _queue, prefetch: 4);
        await worker.Get<IJobReceiver>().AttachAsync(CancellationToken.None);
        return worker;
    }

    private static async Task<(Delivery Delivery, FrameWriter Writer)> TakeAsync(MessagingHost worker)
    {
        await using var deliveries = worker.Get<JobInbox>().ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await deliveries.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        var delivery = deliveries.Current;
        var writer = worker.Get<FrameSender>().Open(delivery.ReplyQueue, delivery.Request.RequestId);
        writer.Begin(attempt: 0, offset: 0);
        return (delivery, writer);
    }

    private sealed class JobCatcher : IJobHandler
    {
        public TaskCompletionSource<BrokerMessage> Job { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task HandleAsync(BrokerMessage message, ISettlement settlement, bool isRedelivered, CancellationToken lost)
        {
            Job.TrySetResult(message);
            return settlement.AcknowledgeAsync();
        }
    }
}
