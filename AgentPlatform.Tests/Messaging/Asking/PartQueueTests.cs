using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Asking;

namespace AgentPlatform.Tests.Messaging.Asking;

public sealed class PartQueueTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public void TryRead_GivesTheWrittenPartsInOrder()
    {
        var queue = new PartQueue(100);
        for (var i = 0; i < 50; i++)
        {
            Assert.True(queue.TryWrite(ReplyKind.Delta, Encoding.UTF8.GetBytes(new string('x', i * 40) + i)));
        }

        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(new string('x', i * 40) + i, Read(queue));
        }

        Assert.Null(Read(queue));
    }

    [Fact]
    public void TryWrite_WhenFull_RefusesUntilSomethingIsRead()
    {
        var queue = new PartQueue(2);
        Assert.True(queue.TryWrite(ReplyKind.Delta, "a"u8));
        Assert.True(queue.TryWrite(ReplyKind.Delta, "b"u8));
        Assert.False(queue.TryWrite(ReplyKind.Delta, "c"u8));
        Assert.Equal("a", Read(queue));
        Assert.True(queue.TryWrite(ReplyKind.Delta, "d"u8));
        Assert.Equal(("b", "d"), (Read(queue), Read(queue)));
    }

    [Fact]
    public async Task WaitToReadAsync_EndsWhenAPartComes()
    {
        var queue = new PartQueue(2);
        var waiting = queue.WaitToReadAsync().AsTask();
        Assert.False(waiting.IsCompleted);
        queue.TryWrite(ReplyKind.Delta, "a"u8);
        Assert.True(await waiting.WaitAsync(_limit));
        Assert.Equal("a", Read(queue));
    }

    [Fact]
    public async Task Complete_WithAnError_GivesThePartsBeforeItFirst()
    {
        var queue = new PartQueue(2);
        queue.TryWrite(ReplyKind.Delta, "a"u8);
        queue.Complete(new TimeoutException());
        queue.Complete();
        Assert.False(queue.TryWrite(ReplyKind.Delta, "b"u8));
        Assert.True(await queue.WaitToReadAsync());
        Assert.Equal("a", Read(queue));
        await Assert.ThrowsAsync<TimeoutException>(async () => await queue.WaitToReadAsync());
    }

    [Fact]
    public async Task AReaderAndAWriterAtOnce_LoseNothingAndAllocateNothingPerPart()
    {
        const int Parts = 20_000;
        var queue = new PartQueue(int.MaxValue);
        var reader = ReadAllAsync(queue);
        for (var i = 0; i < Parts; i++)
        {
            queue.TryWrite(ReplyKind.Delta, BitConverter.GetBytes(i));
        }

        queue.Complete();
        Assert.Equal(Enumerable.Range(0, Parts), await reader.WaitAsync(_limit));

        var lockstep = new PartQueue(4);

        // Each of its two buffers is rented at its first use.
        PassOne(lockstep);
        PassOne(lockstep);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            PassOne(lockstep);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void PassOne(PartQueue queue)
    {
        queue.TryWrite(ReplyKind.Delta, "token"u8);
        if (!queue.TryRead(out var part) || part.Payload.Length != 5)
        {
            Assert.Fail("The part did not come out.");
        }
    }

    private static async Task<List<int>> ReadAllAsync(PartQueue queue)
    {
        List<int> read = [];
        do
        {
            while (queue.TryRead(out var part))
            {
                read.Add(BitConverter.ToInt32(part.Payload.Span));
            }
        }
        while (await queue.WaitToReadAsync());
        return read;
    }

    private static string? Read(PartQueue queue) => queue.TryRead(out var part) ? Encoding.UTF8.GetString(part.Payload.Span) : null;
}
