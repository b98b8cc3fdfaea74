using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Tests.Messaging.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client;
using Xunit.Abstractions;

namespace AgentPlatform.Tests.Fuzz;

/// <summary>What other processes send: model servers, workers, gateways, whoever can write to the broker.</summary>
[Trait("Category", FuzzRun.Tier)]
[Collection(FuzzRun.Tier)]
public sealed class WireFuzz(ITestOutputHelper output)
{
    private static readonly string[] _headers =
    [
        JobHeaders.ContractVersion, JobHeaders.Stream, JobHeaders.Deadline, JobHeaders.Tenant, JobHeaders.Model, JobHeaders.ModelVersion,
        JobHeaders.Issue,
        "x-death", DeadHeaders.Reason, DeadHeaders.Queue, DeadHeaders.DiedAt, DeadHeaders.Attempts, "traceparent",
    ];

    private static readonly MessagingTelemetry _telemetry = new(Tests.Worker.Meters.Create());

    [Fact]
    public Task Events_are_the_same_however_the_network_cuts_them() => FuzzRun.RunAsync("SSE reader", output, async random =>
    {
        var stream = random.Damaged(
            string.Concat(
                Enumerable.Range(0, random.Next(12))
                    .Select(
                        _ =>
                            random.Of(
                                "data: ", "data:", "data", "id: 1", ": beat", "event: x", "", "dat",
                                random.Text()) + random.Of("\n", "\r\n", "\r", "\n\n"))));
        Assert.Equal(await EventsAsync(stream, cut: null), await EventsAsync(stream, random));
    });

    [Fact]
    public Task A_servers_chunk_or_answer_is_passed_on_as_one_line_of_JSON_or_refused() => FuzzRun.RunAsync(
        "answers of servers", output, random =>
    {
        var json = random.Damaged(
            random.Of(
                random.Json(),
                $$"""{"id":"x","model":"ft:acme","choices":[{"index":0,"delta":{{random.Json()}},"finish_reason":{{random.Json()}}}]"""
                    + $$""","usage":{{random.Json()}},"error":{{random.Json(1)}}}"""));
        var said = UpstreamMessage.Parse(json);
        Assert.True(said.Message is null || said.Message.Length <= 500);
        try
        {
            var chunk = new ChatChunk();
            if (chunk.Read(json))
            {
                CheckPart(chunk.Part.Span);
            }
        }
        catch (Exception e) when (e is FormatException or UpstreamException)
        {
            Assert.NotNull(e.Message);
        }

        try
        {
            CheckPart(ChatJson.WithoutEnvelope(json));
        }
        catch (FormatException e)
        {
            Assert.NotNull(e.Message);
        }
    });

    [Fact]
    public Task Frames_come_back_as_they_were_sent_and_damaged_ones_are_refused() => FuzzRun.RunAsync("frames", output, random =>
    {
        var sent = Enumerable.Range(0, random.Next(5)).Select(_ => new Frame(
            Guid.NewGuid(), (ushort)random.Next(65536), (uint)random.Next(), (FrameKind)random.Next(1, 9), random.Bytes(50),
            random.Bytes(20))).ToList();
        var message = Frames.Write(sent);
        Assert.Equal(sent.Select(Describe), Frames.Read(message).Select(Describe));
        try
        {
            Frames.Read(random.Damaged(message));
            Frames.Read(random.Bytes(100));
        }
        catch (FormatException e)
        {
            Assert.NotEmpty(e.Message);
        }
    });

    [Fact]
    public Task Notes_are_read_or_left_out_and_an_error_is_always_one() => FuzzRun.RunAsync("notes", output, random =>
    {
        var note = random.Damaged(
            random.Of(
                new StartedNote("w").ToUtf8(), new ClaimNote("w", Guid.Empty, 1).ToUtf8(),
                ErrorNote.ToUtf8(InferenceError.Invalid("x", "y"), "w")));
        Assert.True(StartedNote.Read(note) is null or { Worker: not null });
        Assert.True(ClaimNote.Read(note) is null or { Worker.Length: > 0 });
        Assert.InRange(ErrorNote.Read(note).ToError().Status, 400, 599);
    });

    [Fact]
    public Task Any_message_of_a_job_queue_is_a_job_or_says_why_it_is_none() => FuzzRun.RunAsync("jobs' headers", output, random =>
    {
        var limit = new TimeLimit(TimeSpan.FromSeconds(30), TimeProvider.System);
        var good = JobHeaders.Write(Tests.Worker.Requests.Create(timeLimit: limit), "1");
        good[JobHeaders.Issue] = random.Next(3);
        var properties = new BasicProperties
        {
            MessageId = random.Of($"{Guid.NewGuid()}", $"{Guid.NewGuid()}", random.Text()),
            Type = random.Of("Chat", "Analyze", "Chat,Analyze", "7", random.Text()),
            ReplyTo = random.Of("infer.reply.g", "infer.reply.g", "", random.Text()),
            Headers = random.Next(20) == 0 ? null : JobHeaders.All.Where(_ => random.Next(20) > 0).ToDictionary(
                name => name, name => random.Next(6) == 0 ? Header(random) : OnTheWire(good.GetValueOrDefault(name))),
        };
        try
        {
            var body = random.Bytes(20);
            var job = JobMessage.Read(Amqp.Message(properties, body), TimeProvider.System);
            Assert.True(Enum.IsDefined(job.Request.Operation) && job.Request.Model.Length > 0 && job.ReplyQueue.Length > 0);
            Assert.Equal(body, job.Request.Body.ToArray());
            Assert.InRange(job.Request.TimeLimit.Left, TimeSpan.Zero, JobHeaders.MostTimeLeft);
        }
        catch (FormatException e)
        {
            Assert.InRange(e.Message.Length, 1, 200);
        }
    });

    [Fact]
    public Task A_control_message_concerns_its_request_or_is_dropped() => FuzzRun.RunAsync("control messages", output, random =>
    {
        using var work = new CancellationTokenSource();
        var cancellations = new Cancellations();
        using var run = cancellations.Watch(Guid.NewGuid(), attempt: 0, work);
        var listener = new ControlListener(
            cancellations, new TakeoverQuestions(TimeProvider.System) { Worker = "w" }, _telemetry, TimeProvider.System,
            NullLogger<ControlListener>.Instance);
        var (id, claim) = (Guid.NewGuid(), Guid.NewGuid());
        string Any() => random.Json(0);
        var message = random.Of(
            $$"""{"requestId":"{{id}}","attempt":{{Any()}}}""",
            $$"""{"requestId":"{{id}}","claim":"{{claim}}","attempt":{{Any()}},"parts":{{Any()}},"trail":{{Any()}},"alone":{{Any()}}}""",
            $$"""{"requestId":"{{id}}","claim":"{{claim}}","attempt":1,"parts":0,"trail":"","alone":false,"timeLeft":{{Any()}}}""",
            $$"""{"requestId":{{random.Json()}}}""",
            random.Json());
        listener.Receive(random.Of(CancelMessage.RoutingKey, GrantMessage.RoutingKey("w"), random.Text()), random.Damaged(message));
        Assert.False(work.IsCancellationRequested);
    });

    [Fact]
    public Task Any_message_can_be_shown_as_a_dead_job() => FuzzRun.RunAsync("dead jobs' headers", output, random =>
    {
        var properties = new BasicProperties
        {
            MessageId = random.Of(null, "", random.Text()),
            Type = random.Of(null, "Chat", "7", random.Text()),
            Headers = random.Next(5) == 0 ? null : _headers.Where(_ => random.Next(2) == 0).ToDictionary(name => name, _ => Header(random)),
        };
        var job = DeadJobParser.Parse(Amqp.Message(properties, random.Bytes(20)));
        Assert.NotEmpty(job.Id);
        Assert.NotNull(job.Reason);
        Assert.DoesNotContain(job.Attempts, attempt => attempt is null);
    });

    // Texts are bytes there.
    private static object? OnTheWire(object? value) => value is string text ? Encoding.UTF8.GetBytes(text) : value;

    private static object? Header(Random random) => random.Next(9) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => random.NextInt64(long.MinValue, long.MaxValue),
        3 => (int)random.NextInt64(int.MinValue, int.MaxValue),
        4 =>
            Encoding.UTF8.GetBytes(
                random.Of(random.Text(), random.Json(), """[{"attempt":1,"worker":"w","parts":0,"end":"lost"}]""", "[null]")),
        5 =>
            new List<object?>
            {
                new Dictionary<string, object?>
                {
                    ["queue"] = random.Bytes(9),
                    ["time"] = new AmqpTimestamp(random.NextInt64(long.MinValue, long.MaxValue)),
                },
                1,
            },
        6 => new List<object?> { random.Text() },
        7 => random.NextDouble(),
        _ => random.Text(),
    };

    private static string Describe(Frame frame) =>
        $"{frame.RequestId} {frame.Attempt} {frame.Offset} {frame.Kind} {Convert.ToHexString(frame.Payload.Span)} "
            + $"{Convert.ToHexString(frame.ResumeState.Span)}";

    // One JSON object in UTF-8 that tells no model.
    private static void CheckPart(ReadOnlySpan<byte> json)
    {
        Assert.True(Utf8.IsValid(json));
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 1000 });
        while (reader.Read())
        {
            Assert.False(reader is { CurrentDepth: 1, TokenType: JsonTokenType.PropertyName } && reader.ValueTextEquals("model"u8));
        }
    }

    private static async Task<List<string>> EventsAsync(byte[] stream, Random? cut)
    {
        using var reader = new SseReader(new Pieces(stream, cut));
        List<string> events = [];
        while (await reader.ReadAsync(CancellationToken.None))
        {
            events.Add(Convert.ToHexString(reader.Data.Span));
        }

        return events;
    }

    /// <summary>A stream that gives a few bytes at a time.</summary>
    private sealed class Pieces(byte[] content, Random? cut) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(cut is null ? buffer : buffer[..Math.Min(buffer.Length, cut.Next(1, 6))], cancellationToken);
    }
}
