using System.Text.RegularExpressions;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Tests.Broker;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>The memory of the release's own broker is that of its pod, and what it keeps of messages fits into it.</summary>
[Trait("Category", "Helm")]
public sealed partial class SmallBrokerTests
{
    private const long Mebibyte = 1024 * 1024;

    [Theory]
    [InlineData(614, 64, 1024)]
    [InlineData(192, 20, 298, "broker.memory=320Mi", "broker.storage=2.5G")]
    [InlineData(19_660, 512, 119_209, "broker.memory=32Gi", "broker.storage=1000G")]
    public async Task Memory_and_disk_follow_from_the_pod(int watermark, int log, int free, params string[] settings)
    {
        var configuration = ConfigurationOf(await Chart.RenderCommittedAsync(settings));

        Assert.Equal(
            (watermark, log, free),
            (Number("vm_memory_high_watermark.absolute"), Number("raft.wal_max_size_bytes"), Number("disk_free_limit.absolute")));

        int Number(string key) => (int)(
            long.Parse(Regex.Match(configuration, $"(?m)^{Regex.Escape(key)} = ([0-9]+)$").Groups[1].Value, null) / Mebibyte);
    }

    [Trait("Category", "Broker")]
    [Trait("Category", "Helm")]
    [Collection(BrokerGroup.Name)]
    public sealed class UnderLoad
    {
        private const int Messages = 8_000;
        private const int InFlight = 200;

        private static readonly string _queue = QueueNames.Job("tiny-chat", "1");

        // With a log of RabbitMQ's own size, or one that was meant for a larger pod, this many bytes would be kept in memory and raise the
        // alarm.
        [Fact]
        public async Task A_small_broker_takes_many_large_jobs_and_never_has_publishers_wait()
        {
            await using var broker = new ChartBroker(await Chart.RenderCommittedAsync(ChartScenarios.HalfBroker));
            await broker.BeginAsync();
            await using var connection = await broker.ConnectAsync();
            var blocked = new List<string>();
            connection.ConnectionBlockedAsync += (_, reason) =>
            {
                blocked.Add(reason.Reason);
                return Task.CompletedTask;
            };
            await new JobQueueDeclaration(
                Options.Create(new QueueOptions { DeadLettersByPolicy = true }),
                NullLogger<JobQueueDeclaration>.Instance).DeclareAsync(connection, _queue, CancellationToken.None);
            await using var workers = await broker.ConnectAsUserAsync("worker-tiny-chat");
            await using var worker = await workers.CreateChannelAsync();
            await worker.BasicQosAsync(0, 100, global: false);
            using var window = new SemaphoreSlim(InFlight);
            var (taken, done) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            var consumer = new AsyncEventingBasicConsumer(worker);
            consumer.ReceivedAsync += async (_, job) =>
            {
                await worker.BasicAckAsync(job.DeliveryTag, multiple: false);
                window.Release();
                if (++taken == Messages)
                {
                    done.SetResult();
                }
            };
            await worker.BasicConsumeAsync(_queue, autoAck: false, consumer);
            await using var gateway = await connection.CreateChannelAsync(
                new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
            var body = new byte[64 * 1024];
            await Task.WhenAll(Enumerable.Range(0, Messages).Select(async _ =>
            {
                // The queue stays short: what counts is how much went through it.
                await window.WaitAsync();
                await gateway.BasicPublishAsync(
                    Topology.JobExchange, _queue, mandatory: true, new BasicProperties { Persistent = true }, body);
            })).WaitAsync(TimeSpan.FromMinutes(5));
            await done.Task.WaitAsync(TimeSpan.FromMinutes(5));

            Assert.Empty(blocked);
        }
    }

    private static string ConfigurationOf(Chart chart) => (string)chart.Get("ConfigMap", "messaging-files")["data"]!["agentplatform.conf"]!;
}
