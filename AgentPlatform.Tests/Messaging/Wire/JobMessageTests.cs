using System.Globalization;
using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Messaging.Wire;
using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Messaging.Wire;

public sealed class JobMessageTests
{
    private readonly FakeTimeProvider _time = new();

    public static TheoryData<string, object?, string> Mistakes => new()
    {
        { "x-deadline", long.MaxValue, "x-deadline" },
        { "x-deadline", long.MinValue, "x-deadline" },
        { "x-deadline", "tomorrow"u8.ToArray(), "x-deadline" },
        { "x-deadline", null, "x-deadline" },
        { "x-time-left", -1L, "x-time-left" },
        { "x-time-left", long.MaxValue, "x-time-left" },
        { "x-time-left", 1.5, "x-time-left" },
        { "x-issue", -1, "x-issue" },
        { "x-issue", 65_536, "x-issue" },
        { "x-contract", 99, "99" },
        { "x-contract", true, "x-contract" },
        { "x-stream", 1, "x-stream" },
        { "x-model", 4, "x-model" },
        { "x-model", Array.Empty<byte>(), "model" },
        { "x-tenant", 4, "x-tenant" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_header_that_is_wrong_is_named(string header, object? value, string named)
    {
        var properties = Describe();
        properties.Headers![header] = value;
        Assert.Contains(
            named, Assert.Throws<FormatException>(() => JobMessage.Read(Amqp.Message(properties, default), _time)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Any_message_is_a_job_or_says_why_it_is_none()
    {
        object?[] values =
        [
            null, true, (byte)7, (sbyte)-7, (short)-1, ushort.MaxValue, 0, int.MinValue, uint.MaxValue, 1L, long.MaxValue, long.MinValue,
            1.5f, double.NaN, 79_228_162_514m,
            "text"u8.ToArray(), new byte[] { 0xff, 0xfe }, Array.Empty<byte>(), new byte[100_000], new AmqpTimestamp(long.MaxValue),
            new List<object?> { 1, null },
            new Dictionary<string, object?> { ["a"] = null }, new BinaryTableValue([1]),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"u8.ToArray(),
        ];
        string[] texts =
        [
            "", "Chat", "Chat, Analyze", "0", "3", "-1", "99999999999999999999", "\ud800", "infer.reply.x", Guid.Empty.ToString(),
            new('x', 255),
        ];
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var properties = Describe();
            for (var change = random.Next(3); change >= 0; change--)
            {
                var header = JobHeaders.All[random.Next(JobHeaders.All.Count)];
                switch (random.Next(6))
                {
                    case 0: properties.Headers!.Remove(header); break;
                    case 1: properties.MessageId = texts[random.Next(texts.Length)]; break;
                    case 2: properties.Type = texts[random.Next(texts.Length)]; break;
                    case 3: properties.ReplyTo = texts[random.Next(texts.Length)]; break;
                    default: properties.Headers![header] = values[random.Next(values.Length)]; break;
                }
            }

            try
            {
                var job = JobMessage.Read(Amqp.Message(properties, new byte[random.Next(3)]), _time);
                Assert.True(Enum.IsDefined(job.Request.Operation) && job.Request.Model.Length > 0 && job.ReplyQueue.Length > 0);
                Assert.InRange(job.Request.TimeLimit.Left, TimeSpan.Zero, JobHeaders.MostTimeLeft);
            }
            catch (FormatException e)
            {
                Assert.True(e.Message.Length is > 0 and < 200, string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {e.Message}"));
            }
        }
    }

    /// <summary>The machines' clocks are anything; only the time that passes on each counts.</summary>
    [Fact]
    public void The_time_that_is_left_does_not_depend_on_the_clocks_of_gateway_and_worker()
    {
        for (var seed = 0; seed < 1_000; seed++)
        {
            var random = new Random(seed);
            var (gateway, worker) = (new ShiftedClock(_time, Offset(random)), new ShiftedClock(_time, Offset(random)));
            var timeout = TimeSpan.FromMilliseconds(random.Next(1, 1_000_000));
            var request = Worker.Requests.Create() with
            {
                Deadline = gateway.GetUtcNow() + timeout,
                TimeLimit = new TimeLimit(timeout, gateway),
            };
            var before = Step(random, timeout);
            gateway.Offset = Offset(random);
            var properties = Describe(request);
            var job = JobMessage.Read(Amqp.Message(properties, default), worker);
            Assert.Equal((timeout - before).TotalMilliseconds, job.Request.TimeLimit.Left.TotalMilliseconds, tolerance: 1);

            var after = Step(random, timeout - before);
            worker.Offset = Offset(random);
            Assert.Equal((timeout - before - after).TotalMilliseconds, job.Request.TimeLimit.Left.TotalMilliseconds, tolerance: 1);
            Assert.Equal(request.Deadline.ToUnixTimeMilliseconds(), job.Request.Deadline.ToUnixTimeMilliseconds());
        }

        TimeSpan Step(Random random, TimeSpan most)
        {
            var step = most * random.NextDouble();
            _time.Advance(step);
            return step;
        }

        static TimeSpan Offset(Random random) => TimeSpan.FromSeconds(random.Next(-100_000, 100_000));
    }

    [Fact]
    public void A_job_of_a_gateway_that_does_not_say_how_much_time_is_left_is_not_expired()
    {
        var properties = Describe();
        properties.Headers!.Remove(JobHeaders.TimeLeft);
        Assert.Equal(JobHeaders.MostTimeLeft, JobMessage.Read(Amqp.Message(properties, default), _time).Request.TimeLimit.Left);
    }

    private BasicProperties Describe() => Describe(Worker.Requests.Create(timeLimit: new TimeLimit(TimeSpan.FromSeconds(30), _time)));

    // As it is after its way over the wire, where texts are bytes.
    private static BasicProperties Describe(InferenceRequest request) => new()
    {
        MessageId = request.RequestId.ToString(),
        Type = request.Operation.ToString(),
        ReplyTo = "infer.reply.g",
        Headers = JobHeaders.Write(request, "1").Append(new(JobHeaders.Issue, 0))
            .ToDictionary(header => header.Key, header => header.Value is string text ? Encoding.UTF8.GetBytes(text) : header.Value),
    };
}
