using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Tests.Broker;
using AgentPlatform.Tests.Messaging;

namespace AgentPlatform.Tests.Worker.Jobs;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class KilledWorkerTests(RabbitMQServer server)
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly string _version = Guid.NewGuid().ToString("N");

    [Fact]
    public async Task The_job_of_a_killed_worker_is_redone_and_the_client_sees_the_answer_it_would_have_seen()
    {
        var queue = QueueNames.Job("m", _version);
        await using var gateway = await MessagingHost.GatewayAsync(server, queue);
        await using var first = Start();
        await first.ReadyAsync();

        var request = Requests.Create(stream: true);
        await using var answer = await SendAsync(gateway, queue, request);
        var parts = new List<string>();
        while (parts.Count < 5)
        {
            Assert.True(await answer.MoveNextAsync().AsTask().WaitAsync(_limit));
            parts.Add(Text(answer.Current));
        }

        await using var second = Start();
        await second.ReadyAsync();
        first.Kill();
        while (await answer.MoveNextAsync().AsTask().WaitAsync(_limit))
        {
            parts.Add(Text(answer.Current));
        }

        var undisturbed = new List<string>();
        await using var again = await SendAsync(gateway, queue, request with { RequestId = Guid.NewGuid() });
        while (await again.MoveNextAsync().AsTask().WaitAsync(_limit))
        {
            undisturbed.Add(Text(again.Current));
        }

        Assert.Equal(undisturbed, parts);
    }

    private ServiceProcess Start() => ServiceProcess.Worker(
        "Engine:Type=simulated", "Model:Name=m", $"Model:Version={_version}", $"ConnectionStrings:messaging={server.ConnectionString}",
        "Simulated:TimePerToken=00:00:00.1");

    private async Task<IAsyncEnumerator<ReplyPart>> SendAsync(MessagingHost gateway, string queue, InferenceRequest request) =>
        (await gateway.BeginAsync(request, queue, _version)).ReadAsync(CancellationToken.None).GetAsyncEnumerator();

    private static string Text(ReplyPart part) => $"{part.Kind} {System.Text.Encoding.UTF8.GetString(part.Payload.Span)}";
}
