using AgentPlatform.Gateway.Dead;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Testing.Engines;
using AgentPlatform.Tests.Broker;
using AgentPlatform.Tests.Messaging;
using AgentPlatform.Tests.Messaging.Dead;
using AgentPlatform.Tests.Worker;

namespace AgentPlatform.Tests.Gateway.Dead;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class PoisonTests(RabbitMQServer server)
{
    private const string Limit = "2";

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_job_that_kills_its_workers_is_put_aside_with_its_story_and_done_again_once_they_survive_it()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        await using var gateway = await MessagingHost.GatewayAsync(server, dead.Queue, ("Messaging:DeliveryLimit", Limit));
        var request = Requests.Create(stream: true, body: """{"messages":[{"role":"user","content":"break me"}]}""");
        var answer = await gateway.SendAsync(request, dead.Queue, dead.Version);
        var failure = await WithDyingWorkersAsync(dead, Assert.ThrowsAsync<InferenceException>(() => answer));
        Assert.Equal(DeadJobs.Poison, failure.Error.Code);

        var job = Assert.Single(await dead.JobsAsync());
        Assert.Equal((request.RequestId.ToString(), DeadJobs.Poison, dead.Queue), (job.Id, job.Reason, job.Queue));
        Assert.Equal(2, job.Attempts.Where(attempt => attempt.Worker is not null).Select(attempt => attempt.Worker).Distinct().Count());
        Assert.All(job.Attempts, attempt => Assert.Equal(0, attempt.Parts));

        // Again, with workers that are no better: it stays, once.
        var (code, _, errors) = await WithDyingWorkersAsync(dead, RequeueAsync(job.Id));
        Assert.Equal(1, code);
        Assert.Contains("failed again and stays where it is", errors, StringComparison.Ordinal);
        Assert.Contains("(poison)", errors, StringComparison.Ordinal);
        Assert.Equal([job.Id], await dead.IdsAsync());

        await using var survivor = Start(dead);
        (code, var output, errors) = await RequeueAsync(job.Id);
        Assert.Equal((0, $"{job.Id} is answered and removed."), (code, errors.Trim().Split('\n')[^1].Trim()));
        Assert.Contains("\"content\":", output, StringComparison.Ordinal);
        Assert.Empty(await dead.IdsAsync());
    }

    private async Task<(int Code, string Output, string Errors)> RequeueAsync(string id)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var command = new DeadCommand(
            output, errors,
            new Dictionary<string, string?> { ["ConnectionStrings:messaging"] = server.ConnectionString,
                ["Messaging:DeliveryLimit"] = Limit });
        var code = await command.InvokeAsync(["dead", "requeue", id], CancellationToken.None).WaitAsync(_limit);
        return (code, output.ToString(), errors.ToString());
    }

    /// <summary>Starts a worker whenever the one before has died, until the outcome is there.</summary>
    private async Task<TOutcome> WithDyingWorkersAsync<TOutcome>(DeadLetterQueue dead, Task<TOutcome> outcome)
    {
        while (!outcome.IsCompleted)
        {
            await using var worker = Start(dead,
                [.. CrashExtension.Settings("break me").Select(setting => $"{setting.Key}={setting.Value}")]);
            await Task.WhenAny(outcome, worker.EndAsync());
        }

        return await outcome;
    }

    private ServiceProcess Start(DeadLetterQueue dead, params string[] settings) => ServiceProcess.Worker(
    [
        "Engine:Type=simulated", "Model:Name=m", $"Model:Version={dead.Version}", $"ConnectionStrings:messaging={server.ConnectionString}",
        "Simulated:TimePerToken=00:00:00", "Simulated:TimeToFirstToken=00:00:00", .. settings,
    ]);
}
