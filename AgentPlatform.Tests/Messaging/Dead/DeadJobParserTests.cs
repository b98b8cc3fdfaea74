using System.Text;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Messaging.Wire;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Messaging.Dead;

public sealed class DeadJobParserTests
{
    [Fact]
    public void A_message_of_anybodys_is_shown_with_what_can_be_read_of_it()
    {
        var properties = new BasicProperties
        {
            Type = "17",
            Headers = new Dictionary<string, object?>
            {
                ["x-story"] = Utf8("[not JSON"),
                ["x-died-at"] = long.MaxValue,
                ["x-deadline"] = Utf8("tomorrow"),
                ["x-death"] = new List<object?>(),
                ["x-model"] = 4,
                ["x-stream"] = 1,
            },
        };
        var job = DeadJobParser.Parse(Amqp.Message(properties, Utf8("hello")));
        Assert.Equal(("body-2cf24dba5fb0", "unknown", false), (job.Id, job.Reason, job.IsByBroker));
        Assert.Equal((null, null, null, null), (job.DiedAt, job.Deadline, job.Model, job.Operation));
        Assert.Empty(job.Attempts);
        Assert.Throws<FormatException>(() => job.ToRequest(Guid.NewGuid(), default));
        Assert.Equal("unknown", DeadJobParser.Parse(Amqp.Message(new BasicProperties(), default)).Reason);
    }

    [Fact]
    public void A_message_that_the_broker_gave_up_tells_the_latest_of_its_deaths()
    {
        var properties = new BasicProperties
        {
            MessageId = "7",
            Headers = new Dictionary<string, object?>
            {
                ["x-death"] =
                    new List<object?>
                    {
                        Death("rejected", "infer.m.2.default", 1_700_000_000),
                        Death("expired", "infer.m.1.default", 1_600_000_000),
                    },
            },
        };
        var job = DeadJobParser.Parse(Amqp.Message(properties, default));
        Assert.Equal(("7", "rejected", "infer.m.2.default", true), (job.Id, job.Reason, job.Queue, job.IsByBroker));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), job.DiedAt);

        static Dictionary<string, object?> Death(string reason, string queue, long at) =>
            new() { ["reason"] = Utf8(reason), ["queue"] = Utf8(queue), ["time"] = new AmqpTimestamp(at), ["count"] = 1L };
    }

    [Fact]
    public void A_long_story_is_cut_to_what_fits_into_a_header()
    {
        var story = Enumerable.Range(0, 1000).Select(attempt => new DeadAttempt(attempt, new string('w', 5000), 3, new string('ü', 5000)))
            .ToList();
        var text = DeadAttempt.Write(story);
        Assert.InRange(Encoding.UTF8.GetByteCount(text), 1, 20_000);
        var read = DeadAttempt.Read(text);
        Assert.Equal((20, 980, 999), (read.Count, read[0].Attempt, read[^1].Attempt));
        Assert.Equal([new DeadAttempt(0, null, 0, "lost")], DeadAttempt.Read(DeadAttempt.Write([new DeadAttempt(0, null, 0, "lost")])));
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
