using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Tests.Broker;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Tests.Kubernetes;

[Trait("Category", "Broker")]
[Trait("Category", "Helm")]
[Collection(BrokerGroup.Name)]
public sealed class ChartBrokerTests
{
    private const string Model = "tiny-chat";

    private static readonly string _queue = QueueNames.Job(Model, "1");

    [Theory]
    [InlineData]
    [InlineData("broker.tls.secretName=rabbit-tls")]
    public async Task Gateway_and_worker_work_under_their_users_and_KEDA_sees_a_job_that_waits_and_one_that_runs(params string[] settings)
    {
        var chart = await Chart.RenderCommittedAsync(settings);
        await using var broker = new ChartBroker(chart);
        await broker.BeginAsync();
        using var keda = broker.Management("scaler");
        await using var gateway = broker.Start("AgentPlatform.Gateway", "gateway", $"Models:0:Name={Model}");
        using var client = new HttpClient { BaseAddress = await gateway.ReadyAsync() };

        using var leaves = new CancellationTokenSource();
        var left = AskAsync(client, tokens: 1000, leaves.Token);
        await Wait.UntilAsync(async () => await CountAsync(chart, keda) is (1, 0));

        await using var worker = broker.Start(
            "AgentPlatform.Worker", Model, "Engine:Type=simulated", $"Model:Name={Model}", "Simulated:TimePerToken=00:00:00.5");
        await Wait.UntilAsync(async () => await CountAsync(chart, keda) is (1, 1));

        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        await Wait.UntilAsync(async () => await CountAsync(chart, keda) is (0, 0));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(client, tokens: 2, CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task KEDAs_user_sees_queues_and_can_do_nothing_with_them()
    {
        await using var broker = new ChartBroker(await Chart.RenderCommittedAsync());
        await broker.BeginAsync();
        await using var connection = await broker.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        await DeclareAsync(connection);
        await channel.BasicPublishAsync("", _queue, "a job"u8.ToArray());
        using var keda = broker.Management("scaler");
        var queue = $"api/queues/%2F/{_queue}";
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(HttpMethod.Get, queue));

        Assert.NotEqual(HttpStatusCode.NoContent, await StatusAsync(HttpMethod.Delete, queue));
        Assert.NotEqual(HttpStatusCode.NoContent, await StatusAsync(HttpMethod.Delete, $"{queue}/contents"));
        Assert.NotEqual(HttpStatusCode.Created, await StatusAsync(HttpMethod.Put, "api/queues/%2F/infer.other", new { durable = true }));
        Assert.NotEqual(
            HttpStatusCode.OK,
            await StatusAsync(HttpMethod.Post, $"{queue}/get", new { count = 1, ackmode = "ack_requeue_false", encoding = "auto" }));
        Assert.NotEqual(HttpStatusCode.OK, await StatusAsync(
            HttpMethod.Post, "api/exchanges/%2F/infer/publish",
            new { routing_key = _queue, properties = new { }, payload = "a job", payload_encoding = "string" }));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(HttpMethod.Get, "api/users"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(HttpMethod.Get, "api/definitions"));
        Assert.Equal(1u, (await channel.QueueDeclarePassiveAsync(_queue)).MessageCount);

        // Users of AMQP see nothing of the management API.
        using var gateway = broker.Management("gateway");
        Assert.Equal(HttpStatusCode.Unauthorized, (await gateway.GetAsync(new Uri("api/queues", UriKind.Relative))).StatusCode);

        async Task<HttpStatusCode> StatusAsync(HttpMethod method, string path, object? body = null)
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
            using var response = await keda.SendAsync(request);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task Queues_of_an_earlier_build_are_bounded_by_bytes_too_once_the_broker_has_the_charts_policies()
    {
        await using var broker = new ChartBroker(await Chart.RenderCommittedAsync());
        await broker.BeginAsync();
        await using var connection = await broker.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        var arguments =
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum", ["x-max-length"] = 10_000, ["x-overflow"] = "reject-publish" };
        await channel.QueueDeclareAsync(_queue, durable: true, exclusive: false, autoDelete: false, arguments);
        arguments = new() { ["x-queue-type"] = "quorum" };
        await channel.QueueDeclareAsync(QueueNames.Dead, durable: true, exclusive: false, autoDelete: false, arguments);

        var policies = JsonDocument.Parse(await broker.ControlAsync("-q list_policies --formatter json")).RootElement.EnumerateArray()
            .ToDictionary(
                policy => policy.GetProperty("name").GetString()!,
                policy => JsonDocument.Parse(policy.GetProperty("definition").GetString()!).RootElement);
        var queues = JsonDocument.Parse(
            await broker.ControlAsync("-q list_queues name policy --formatter json")).RootElement.EnumerateArray()
            .ToDictionary(queue => queue.GetProperty("name").GetString()!, queue => queue.GetProperty("policy").GetString()!);
        var (jobs, dead, expected) = (policies[queues[_queue]], policies[queues[QueueNames.Dead]], new QueueOptions());
        Assert.Equal(expected.MaxQueueBytes, jobs.GetProperty("max-length-bytes").GetInt64());
        Assert.Equal(
            (expected.MaxDeadJobs, expected.MaxDeadBytes, (long)expected.DeadRetention.TotalMilliseconds, "drop-head"),
            (
                dead.GetProperty("max-length").GetInt32(), dead.GetProperty("max-length-bytes").GetInt64(),
                dead.GetProperty("message-ttl").GetInt64(), dead.GetProperty("overflow").GetString()));
    }

    [Fact]
    public async Task A_broker_that_starts_again_takes_the_passwords_of_the_Secret_and_keeps_its_jobs()
    {
        await using var broker = new ChartBroker(await Chart.RenderCommittedAsync());
        await broker.BeginAsync();
        await using (var connection = await broker.ConnectAsync())
        {
            await using var channel = await connection.CreateChannelAsync(
                new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
            await DeclareAsync(connection);
            await channel.BasicPublishAsync(
                Topology.JobExchange, _queue, mandatory: true, new BasicProperties { Persistent = true }, "a job"u8.ToArray());
        }

        await broker.KillAsync();
        broker.Secret = "2";
        await broker.BeginAsync();

        await Assert.ThrowsAsync<BrokerUnreachableException>(() => broker.ConnectAsync("1"));
        await using var after = await broker.ConnectAsUserAsync($"worker-{Model}");
        await using var look = await after.CreateChannelAsync();
        Assert.Equal("a job"u8.ToArray(), (await look.BasicGetAsync(_queue, autoAck: true))?.Body.ToArray());
    }

    private static Task DeclareAsync(IConnection connection) =>
        new JobQueueDeclaration(Options.Create(new QueueOptions { DeadLettersByPolicy = true }), NullLogger<JobQueueDeclaration>.Instance)
            .DeclareAsync(connection, _queue, CancellationToken.None);

    private static async Task<HttpStatusCode> AskAsync(HttpClient client, int tokens, CancellationToken cancellationToken)
    {
        using var response = await client.PostAsJsonAsync(
            "/v1/chat/completions",
            new { model = Model, max_tokens = tokens, messages = (object[])[new { role = "user", content = "Hello" }] }, cancellationToken);
        return response.StatusCode;
    }

    // What KEDA asks for a regular expression, and what it makes of the answer; a number that is not there is 0 for it.
    private static async Task<(long All, long Running)> CountAsync(Chart chart, HttpClient keda)
    {
        var trigger = chart.Get("ScaledObject", $"{Model}-scaling")["spec"]!["triggers"]![0]!["metadata"]!;
        var queues = Uri.EscapeDataString((string)trigger["queueName"]!);
        var host = Uri.EscapeDataString((string)trigger["vhostName"]!);
        var answer = await keda.GetFromJsonAsync<JsonObject>(
            $"api/queues/{host}?page=1&use_regex=true&pagination=false&name={queues}&page_size=100");
        Assert.Equal("max", (string?)trigger["operation"]);
        return (Most("messages"), Most("messages_unacknowledged"));

        long Most(string number) => Chart.List(answer!["items"]).Max(queue => (long?)queue[number] ?? 0);
    }
}
