using System.Text;
using AgentPlatform.Api.Replay;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Api.Replay;

public sealed class ResponseLogTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task Readers_at_any_pace_get_every_byte_in_order(int piece)
    {
        var reserved = 0;
        var log = new ResponseLog(bytes => reserved += bytes);
        var expected = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 30_000).Select(number => $"{number},")));
        var follower = ReadAsync(log, default);
        log.Start(200, new HeaderDictionary());
        for (var at = 0; at < expected.Length; at += piece)
        {
            var part = expected.AsSpan(at, Math.Min(piece, expected.Length - at));
            part.CopyTo(log.GetMemory(part.Length).Span);
            log.Advance(part.Length);
            if (at % 3 == 0)
            {
                log.Publish();
            }
        }

        log.Complete(isTruncated: false);
        Assert.Equal(expected, await follower.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(expected, await ReadAsync(log, default));
        Assert.InRange(reserved, expected.Length, (expected.Length * 3) + 8192);
    }

    [Fact]
    public void What_is_not_published_is_not_there_though_another_block_follows_it()
    {
        var log = new ResponseLog(_ => { });
        Write(log, new string('a', 4000));
        log.Publish();
        Write(log, new string('b', 50));
        Write(log, new string('c', 5000)); // Does not fit into the first block.
        var place = default(LogPlace);
        Assert.Equal(LogState.Bytes, log.Read(ref place, out var bytes, out _));
        Assert.Equal(4000, bytes.Length);
        Assert.Equal(LogState.Silent, log.Read(ref place, out _, out var more));
        log.Publish();
        Assert.True(more.IsCompletedSuccessfully);
        Assert.Equal(LogState.Bytes, log.Read(ref place, out bytes, out _));
        Assert.Equal(new string('b', 50), Encoding.ASCII.GetString(bytes.Span));
        Assert.Equal(LogState.Bytes, log.Read(ref place, out bytes, out _));
        Assert.Equal(5000, bytes.Length);
        log.Complete(isTruncated: true);
        Assert.Equal(LogState.Truncated, log.Read(ref place, out _, out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5000)]
    public async Task Behind_each_event_stands_the_next_however_it_was_written(int piece)
    {
        var log = new ResponseLog(_ => { });
        var events = Enumerable.Range(0, 500).Select(number => $"id: x:{number}\ndata: {new string('d', number % 40)}\n\n").ToList();
        var text = string.Concat(events);
        for (var at = 0; at < text.Length; at += piece)
        {
            Write(log, text.Substring(at, Math.Min(piece, text.Length - at)));
        }

        Assert.Null(log.After(0)); // Nobody has seen it.
        log.Complete(isTruncated: false);
        foreach (var number in new[] { 0, 1, 2, 250, 498 })
        {
            var rest = Encoding.ASCII.GetString(await ReadAsync(log, log.After(number)!.Value));
            Assert.Equal(string.Concat(events.Skip(number + 1)), rest);
        }

        Assert.Empty(await ReadAsync(log, log.After(499)!.Value));
        Assert.Null(log.After(500));
        Assert.Null(log.After(-1));
    }

    private static void Write(ResponseLog log, string text)
    {
        Encoding.ASCII.GetBytes(text, log.GetMemory(text.Length).Span);
        log.Advance(text.Length);
    }

    private static async Task<byte[]> ReadAsync(ResponseLog log, LogPlace place)
    {
        var read = new List<byte>();
        while (true)
        {
            switch (log.Read(ref place, out var bytes, out var more))
            {
                case LogState.Bytes:
                    read.AddRange(bytes.Span);
                    break;
                case LogState.Silent:
                    await more;
                    break;
                default:
                    return [.. read];
            }
        }
    }
}
