using System.Text;
using System.Text.Json;
using AgentPlatform.Messaging.Contracts;
using AgentPlatform.Messaging.Replies;

namespace AgentPlatform.Tests.Messaging.Replies;

public sealed class ReplyAssemblyTests
{
    private static readonly Guid Id = Guid.CreateVersion7();
    private readonly ReplyAssembly _stream = new(capacity: 64);

    [Fact]
    public async Task Accept_OfFramesInOrder_GivesTheAnswerAndEnds()
    {
        Accept(0, "S", "a", "b", "E");

        Assert.Equal("ab", await ReadTextAsync());
    }

    [Fact]
    public async Task Accept_OfDuplicates_GivesEachPartOnce()
    {
        Accept(0, "S", "a");
        Accept(0, "S", "a", "b", "E");

        Assert.Equal("ab", await ReadTextAsync());
    }

    [Fact]
    public async Task Accept_OfASecondAttempt_ContinuesWhereTheFirstBrokeOff()
    {
        Accept(0, "S", "a", "b");
        Accept(1, "S", "a", "b", "c", "E");

        Assert.Equal("abc", await ReadTextAsync());
    }

    [Fact]
    public async Task Accept_OfALateFrameOfAnOlderAttempt_IgnoresIt()
    {
        Accept(0, "S", "a");
        Accept(1, "S");
        Accept(0, from: 2, "zombie");
        Accept(1, from: 1, "a", "b", "E");

        Assert.Equal("ab", await ReadTextAsync());
    }

    [Fact]
    public async Task Accept_OfAGap_FailsInsteadOfPassingForComplete()
    {
        Accept(0, "S", "a");
        Accept(0, from: 3, "c", "E");

        var failure = await Assert.ThrowsAsync<InferenceException>(ReadTextAsync);
        Assert.Equal(502, failure.Error.Status);
    }

    [Fact]
    public async Task Accept_OfASecondAttemptThatCannotRepeat_FailsOnceSomethingWasSent()
    {
        Accept(0, "S", "a");
        Accept(1, "X", "b");

        var failure = await Assert.ThrowsAsync<InferenceException>(ReadTextAsync);
        Assert.Contains("cannot repeat", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Accept_OfASecondAttemptThatCannotRepeat_RestartsIfNothingWasSent()
    {
        Accept(0, "X");
        Accept(1, "X", "b", "E");

        Assert.Equal("b", await ReadTextAsync());
    }

    [Fact]
    public async Task Accept_OfAnErrorFrame_GivesThePartsBeforeItAndThenTheError()
    {
        var error = InferenceError.Invalid("The prompt is too long.", "messages");
        Accept(0, "S", "a");
        _stream.Accept(new Frame(Id, 0, 2, ReplyKind.Error, JsonSerializer.SerializeToUtf8Bytes(error, ContractsJsonContext.Default.InferenceError)));
        var text = new StringBuilder();

        var failure = await Assert.ThrowsAsync<InferenceException>(async () =>
        {
            await foreach (var part in _stream.ReadAsync(CancellationToken.None))
            {
                text.Append(part.Kind == ReplyKind.Delta ? Encoding.UTF8.GetString(part.Payload.Span) : "");
            }
        });

        Assert.Equal("a", text.ToString());
        Assert.Equal(error, failure.Error);
    }

    [Fact]
    public async Task Accept_BeyondTheCapacity_FailsThisRequestOnly()
    {
        var slow = new ReplyAssembly(capacity: 2);
        for (var i = 0u; i < 5; i++)
        {
            slow.Accept(new Frame(Id, 0, i, ReplyKind.Delta, "x"u8.ToArray()));
        }

        var failure = await Assert.ThrowsAsync<InferenceException>(async () =>
        {
            await foreach (var _ in slow.ReadAsync(CancellationToken.None))
            {
            }
        });
        Assert.Equal("client_too_slow", failure.Error.Code);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Accept_OfAnyInterleavingOfAttemptsAndDuplicates_IsAlwaysThePrefixAndFinallyTheAnswer(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            var answer = Enumerable.Range(0, random.Next(1, 20)).Select(i => ((char)('a' + i)).ToString()).ToArray();
            string[] frames = ["S", .. answer, "E"];
            var stream = new ReplyAssembly(capacity: 64);

            // Attempts break off anywhere; frames of earlier attempts and duplicates come in between; the last attempt is whole.
            var attempts = (ushort)random.Next(1, 5);
            for (ushort attempt = 0; attempt < attempts; attempt++)
            {
                var length = attempt == attempts - 1 ? frames.Length : random.Next(0, frames.Length);
                for (var offset = 0; offset < length; offset++)
                {
                    stream.Accept(ToFrame(attempt, (uint)offset, frames[offset]));
                    if (random.Next(3) == 0)
                    {
                        var old = random.Next(0, offset + 1);
                        stream.Accept(ToFrame((ushort)random.Next(0, attempt + 1), (uint)old, frames[old]));
                    }
                }
            }

            Assert.Equal(string.Concat(answer), await ReadTextAsync(stream));
        }
    }

    private void Accept(ushort attempt, params string[] parts) => Accept(attempt, 0, parts);

    private void Accept(ushort attempt, uint from, params string[] parts)
    {
        foreach (var (index, part) in parts.Index())
        {
            _stream.Accept(ToFrame(attempt, from + (uint)index, part));
        }
    }

    // S: started by an engine that repeats exactly; X: by one that does not; E: end; anything else is text.
    private static Frame ToFrame(ushort attempt, uint offset, string part) => part switch
    {
        "S" or "X" => new Frame(Id, attempt, offset, ReplyKind.Started, new StartedNote("worker", part == "S").ToUtf8()),
        "E" => new Frame(Id, attempt, offset, ReplyKind.End, default),
        _ => new Frame(Id, attempt, offset, ReplyKind.Delta, Encoding.UTF8.GetBytes(part)),
    };

    private Task<string> ReadTextAsync() => ReadTextAsync(_stream);

    private static async Task<string> ReadTextAsync(ReplyAssembly stream)
    {
        var text = new StringBuilder();
        await foreach (var part in stream.ReadAsync(CancellationToken.None))
        {
            text.Append(part.Kind == ReplyKind.Delta ? Encoding.UTF8.GetString(part.Payload.Span) : "");
        }

        return text.ToString();
    }
}
