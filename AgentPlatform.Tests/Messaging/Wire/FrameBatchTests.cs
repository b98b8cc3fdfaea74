using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Tests.Messaging.Wire;

public sealed class FrameBatchTests
{
    [Fact]
    public void Read_GivesBackEveryFrameInOrder()
    {
        Frame[] frames =
        [
            new(Guid.CreateVersion7(), 0, 0, FrameKind.Started, "worker-1"u8.ToArray()),
            new(
                Guid.CreateVersion7(), 3, uint.MaxValue, FrameKind.Delta, Encoding.UTF8.GetBytes("{\"choices\":[\"é🙂\"]}"),
                new byte[] { 1, 2, 3 }),
            new(Guid.CreateVersion7(), ushort.MaxValue, 7, FrameKind.End, ReadOnlyMemory<byte>.Empty),
        ];

        var read = Frames.Read(Frames.Write(frames));

        Assert.Equal(frames.Length, read.Count);
        foreach (var (expected, actual) in frames.Zip(read))
        {
            Assert.Equal(
                expected with { Payload = default, ResumeState = default }, actual with { Payload = default, ResumeState = default });
            Assert.Equal(expected.Payload.ToArray(), actual.Payload.ToArray());
            Assert.Equal(expected.ResumeState.ToArray(), actual.ResumeState.ToArray());
        }
    }

    [Fact]
    public void Append_PutsTheDocumentedBytesOnTheWire()
    {
        var id = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");

        var message = Frames.Write(new Frame(id, 0x0102, 0x03040506, FrameKind.Delta, "{}"u8.ToArray(), new byte[] { 9 }));

        Assert.Equal(
            "02" + "1C000000" + "00112233445566778899AABBCCDDEEFF" + "0201" + "06050403" + "02" + "0100" + "09" + "7B7D",
            Convert.ToHexString(message));
    }

    [Fact]
    public void SizeOf_IsWhatAppendWrites()
    {
        var frame = new Frame(Guid.NewGuid(), 1, 2, FrameKind.Delta, new byte[123], new byte[45]);

        Assert.Equal(1 + FrameBatch.SizeOf(frame), Frames.Write(frame).Length);
    }

    [Fact]
    public void Read_OfAMessageCutAnywhereInAFrame_IsRefused()
    {
        var message = Frames.Write(new Frame(Guid.NewGuid(), 0, 0, FrameKind.Delta, "payload"u8.ToArray(), new byte[2]));

        for (var length = 2; length < message.Length; length++)
        {
            Assert.Throws<FormatException>(() => Frames.Read(message.AsMemory(0, length)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("01")]
    [InlineData("02FFFFFFFF")]
    public void Read_OfGarbage_IsRefused(string hex)
    {
        Assert.Throws<FormatException>(() => Frames.Read(Convert.FromHexString(hex)));
    }

    [Theory]
    [InlineData(22, 0xFF)] // its kind
    [InlineData(22, 0x00)]
    [InlineData(23, 0xFF)] // the length of its resume state
    public void Read_OfAFrameThatCannotBeRead_GivesItsAddressAndTheFramesBehindIt(int at, byte value)
    {
        Frame[] frames =
        [
            .. Enumerable.Range(0, 3)
                .Select(i => new Frame(Guid.NewGuid(), 1, 2, FrameKind.Delta, Encoding.UTF8.GetBytes($"{i}"), new byte[1])),
        ];
        var message = Frames.Write(frames);
        message[1 + FrameBatch.SizeOf(frames[0]) + 4 + at] = value;

        var read = Frames.Read(message);

        Assert.Equal([FrameKind.Delta, FrameKind.Unreadable, FrameKind.Delta], read.Select(frame => frame.Kind));
        Assert.Equal(frames.Select(frame => frame.RequestId), read.Select(frame => frame.RequestId));
        Assert.Equal("2"u8.ToArray(), read[2].Payload.ToArray());
    }

    [Fact]
    public void Read_OfAnyBytes_EndsOrIsRefused()
    {
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var message = Frames.Write(
                [
                    .. Enumerable.Range(0, 3)
                        .Select(i => new Frame(Guid.NewGuid(), 0, 0, FrameKind.Delta, new byte[random.Next(20)], new byte[random.Next(5)])),
                ]);
            for (var change = random.Next(4); change >= 0; change--)
            {
                message[random.Next(message.Length)] = (byte)random.Next(256);
            }

            try
            {
                Assert.InRange(Frames.Read(message).Count, 0, message.Length / 29);
            }
            catch (FormatException)
            {
                // Refused: the rest of the message has no frames.
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"worker":null}""")]
    [InlineData("""{"worker":7}""")]
    [InlineData("""{"worker":"w","claim":"no id"}""")]
    [InlineData("""{"worker":"w","issue":65536}""")]
    [InlineData("""{"worker":"w","status":0,"type":"t","message":"m"}""")]
    [InlineData("""{"worker":"w","status":200,"type":"t","message":"m"}""")]
    [InlineData("""{"worker":"w","status":500}""")]
    [InlineData("{\"worker\":\"\xff\"}")]
    public void ReadNote_OfWhatCannotBeRead_IsNone(string text)
    {
        var utf8 = Encoding.Latin1.GetBytes(text);
        Assert.Equal(502, ErrorNote.Read(utf8).ToError().Status);
        Assert.True(ClaimNote.Read(utf8) is null or { Worker.Length: > 0 });
        Assert.True(StartedNote.Read(utf8) is null or { Worker: not null });
    }

    [Fact]
    public void ReadError_GivesItBackWithTheWorkerThatSaidIt()
    {
        var error = new InferenceError(ErrorKind.Overloaded, "Full.", "overloaded", "model", 7);
        var note = ErrorNote.Read(ErrorNote.ToUtf8(error, "worker-1"));
        Assert.Equal((error, "worker-1"), (note.ToError(), note.Worker));
    }

    [Fact]
    public void Read_OfAManyFrameMessage_AllocatesNothing()
    {
        var id = Guid.NewGuid();
        var message = new ReadOnlyMemory<byte>(
            Frames.Write([.. Enumerable.Range(0, 1000).Select(i => new Frame(id, 0, (uint)i, FrameKind.Delta, "{}"u8.ToArray()))]));
        Assert.Equal(1000, Count(message));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var count = Count(message);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1000, count);
    }

    private static int Count(ReadOnlyMemory<byte> message)
    {
        var count = 0;
        foreach (var frame in FrameBatch.Read(message))
        {
            count += frame.Payload.Length == 2 ? 1 : 0;
        }

        return count;
    }
}
