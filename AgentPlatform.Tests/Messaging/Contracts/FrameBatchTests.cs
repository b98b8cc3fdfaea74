using System.Buffers;
using System.Text;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Tests.Messaging.Contracts;

public sealed class FrameBatchTests
{
    [Fact]
    public void Read_GivesBackEveryFrameInOrder()
    {
        Frame[] frames =
        [
            new(Guid.CreateVersion7(), 0, 0, ReplyKind.Started, "worker-1"u8.ToArray()),
            new(Guid.CreateVersion7(), 3, uint.MaxValue, ReplyKind.Delta, Encoding.UTF8.GetBytes("{\"choices\":[\"é🙂\"]}"), new byte[] { 1, 2, 3 }),
            new(Guid.CreateVersion7(), ushort.MaxValue, 7, ReplyKind.End, ReadOnlyMemory<byte>.Empty),
        ];

        var read = ReadAll(Write(frames));

        Assert.Equal(frames.Length, read.Count);
        foreach (var (expected, actual) in frames.Zip(read))
        {
            Assert.Equal(expected with { Payload = default, Trail = default }, actual with { Payload = default, Trail = default });
            Assert.Equal(expected.Payload.ToArray(), actual.Payload.ToArray());
            Assert.Equal(expected.Trail.ToArray(), actual.Trail.ToArray());
        }
    }

    [Fact]
    public void Append_PutsTheDocumentedBytesOnTheWire()
    {
        var id = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");

        var message = Write(new Frame(id, 0x0102, 0x03040506, ReplyKind.Delta, "{}"u8.ToArray(), new byte[] { 9 }));

        Assert.Equal("02" + "1C000000" + "00112233445566778899AABBCCDDEEFF" + "0201" + "06050403" + "02" + "0100" + "09" + "7B7D", Convert.ToHexString(message));
    }

    [Fact]
    public void SizeOf_IsWhatAppendWrites()
    {
        var frame = new Frame(Guid.NewGuid(), 1, 2, ReplyKind.Delta, new byte[123], new byte[45]);

        Assert.Equal(1 + FrameBatch.SizeOf(frame), Write(frame).Length);
    }

    [Fact]
    public void Read_OfAMessageCutAnywhereInAFrame_IsRefused()
    {
        var message = Write(new Frame(Guid.NewGuid(), 0, 0, ReplyKind.Delta, "payload"u8.ToArray(), new byte[2]));

        for (var length = 2; length < message.Length; length++)
        {
            Assert.Throws<FormatException>(() => ReadAll(message.AsMemory(0, length)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("01")]
    [InlineData("02FFFFFFFF")]
    [InlineData("02190000000000000000000000000000000000000000000000000000FF0000")]
    [InlineData("0219000000000000000000000000000000000000000000000000000000020100")]
    public void Read_OfGarbage_IsRefused(string hex)
    {
        Assert.Throws<FormatException>(() => ReadAll(Convert.FromHexString(hex)));
    }

    [Fact]
    public void Read_OfAManyFrameMessage_AllocatesNothing()
    {
        var id = Guid.NewGuid();
        var message = new ReadOnlyMemory<byte>(Write([.. Enumerable.Range(0, 1000).Select(i => new Frame(id, 0, (uint)i, ReplyKind.Delta, "{}"u8.ToArray()))]));
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

    private static byte[] Write(params ReadOnlySpan<Frame> frames)
    {
        var message = new ArrayBufferWriter<byte>();
        FrameBatch.Begin(message);
        foreach (var frame in frames)
        {
            FrameBatch.Append(message, frame);
        }

        return message.WrittenSpan.ToArray();
    }

    private static List<Frame> ReadAll(ReadOnlyMemory<byte> message)
    {
        List<Frame> frames = [];
        foreach (var frame in FrameBatch.Read(message))
        {
            frames.Add(frame);
        }

        return frames;
    }
}
