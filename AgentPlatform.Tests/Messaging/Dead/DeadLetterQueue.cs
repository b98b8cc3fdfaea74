using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Tests.Broker;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Messaging.Dead;

/// <summary>The queue of dead jobs for a test: empty at first, filled as a gateway or the broker would.</summary>
internal sealed class DeadLetterQueue : IAsyncDisposable
{
    private readonly MessagingHost _gateway;

    private DeadLetterQueue(RabbitMQServer server, string version, MessagingHost gateway)
    {
        (_gateway, Queue, Version) = (gateway, QueueNames.Job("m", version), version);
        Factory = new ConnectionFactory { Uri = new Uri(server.ConnectionString), AutomaticRecoveryEnabled = false };
    }

    /// <summary>A queue that exists, of a version that only this test has.</summary>
    public string Queue { get; }

    public string Version { get; }

    public ConnectionFactory Factory { get; }

    public static async Task<DeadLetterQueue> OpenAsync(RabbitMQServer server)
    {
        var version = Guid.NewGuid().ToString("N");
        var dead = new DeadLetterQueue(server, version, await MessagingHost.GatewayAsync(server, QueueNames.Job("m", version)));
        await using var reader = await dead.ReaderAsync();
        await foreach (var left in reader.ReadAsync(CancellationToken.None))
        {
            await reader.RemoveAsync(left, CancellationToken.None);
        }

        return dead;
    }

    public Task<IDeadReader> ReaderAsync() =>
        _gateway.Get<IDeadLetters>().OpenAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));

    /// <summary>Has a job die; gives its id.</summary>
    public async Task<string> AddAsync(string body = "{}", bool stream = false, string? version = null)
    {
        var request = new InferenceRequest
        {
            RequestId = Guid.NewGuid(),
            Model = "m",
            Operation = Operation.Chat,
            Stream = stream,
            Tenant = "acme",
            Deadline = DateTimeOffset.FromUnixTimeMilliseconds(4_000_000_000_000),
            Body = Encoding.UTF8.GetBytes(body),
        };
        var story = new DeadAttempt[] { new(0, "worker-a", 2, "lost"), new(1, "worker-b", 2, "lost") };
        var outcome = await _gateway.Get<DeadJobs>()
            .PublishAsync(request, QueueNames.Job("m", version ?? Version), version ?? Version, story).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(PublishOutcome.Confirmed, outcome);
        return request.RequestId.ToString();
    }

    /// <summary>What is there, the oldest first.</summary>
    public async Task<List<DeadJob>> JobsAsync()
    {
        await using var reader = await ReaderAsync();
        List<DeadJob> jobs = [];
        await foreach (var held in HeldJob.ReadAsync(reader, CancellationToken.None))
        {
            jobs.Add(held.Job with { Body = held.Job.Body.ToArray() });
        }

        return [.. jobs.OrderBy(job => job.DiedAt)];
    }

    public async Task<IEnumerable<string>> IdsAsync() => (await JobsAsync()).Select(job => job.Id);

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();
}
