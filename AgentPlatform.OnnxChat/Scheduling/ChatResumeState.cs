using System.Buffers;
using AgentPlatform.Inference;

namespace AgentPlatform.OnnxChat.Scheduling;

/// <summary>What there is of a choice whose worker was lost.</summary>
/// <param name="Tokens">Its tokens.</param>
/// <param name="HasBegun">Whether its role was given.</param>
/// <param name="HasEnded">Whether its end was given.</param>
internal sealed record PartialChoice(IReadOnlyList<int> Tokens, bool HasBegun, bool HasEnded);

/// <summary>
/// The tokens behind the parts of a streamed answer, so that another worker can continue after any of them.
/// For each part: the choice, how many tokens (0 for the choice's end), the tokens; numbers as LEB128.
/// Roles have none: they come first and in the choices' order, so their number says whose they are.
/// </summary>
/// <remarks>One caller at a time; what it gives is valid until the next.</remarks>
internal sealed class ChatResumeState
{
    private readonly ArrayBufferWriter<byte> _buffer = new(16);

    /// <summary>That of a part that gives the piece's text.</summary>
    public ReadOnlyMemory<byte> Of(in ChatPiece piece)
    {
        Begin(piece.Choice, piece.Tokens.Count);
        foreach (var token in piece.Tokens)
        {
            Write((uint)token);
        }

        return _buffer.WrittenMemory;
    }

    /// <summary>That of a part that gives the end of a choice.</summary>
    public ReadOnlyMemory<byte> OfEnd(int choice)
    {
        Begin(choice, tokens: 0);
        return _buffer.WrittenMemory;
    }

    /// <summary>Reads the resume states of the parts that were given; nothing if <paramref name="partial"/> is null.</summary>
    /// <exception cref="FormatException">They are not of an answer with so many choices.</exception>
    public static IReadOnlyList<PartialChoice> Read(PartialAnswer? partial, int choices)
    {
        var tokens = Enumerable.Range(0, choices).Select(_ => new List<int>()).ToList();
        var (begun, ended) = (new bool[choices], new bool[choices]);
        var told = 0u;
        var rest = partial is null ? default : partial.ResumeState.Span;
        while (!rest.IsEmpty)
        {
            var choice = Take(ref rest);
            if (choice >= choices)
            {
                throw new FormatException($"The resume state of an answer tells of choice {choice}; it has {choices}.");
            }

            begun[choice] = true;
            told++;
            var count = Take(ref rest);
            ended[choice] |= count == 0;
            for (; count > 0; count--)
            {
                tokens[(int)choice].Add((int)Take(ref rest));
            }
        }

        // A worker of before roles had parts of their own gave each with the choice's first tokens.
        var roles = partial is null ? 0 : partial.Parts - told;
        return [.. tokens.Select((some, choice) => new PartialChoice(some, begun[choice] || choice < roles, ended[choice]))];
    }

    private void Begin(int choice, int tokens)
    {
        _buffer.ResetWrittenCount();
        Write((uint)choice);
        Write((uint)tokens);
    }

    private void Write(uint value)
    {
        var span = _buffer.GetSpan(5);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            span[length++] = (byte)(value | 0x80);
        }

        span[length++] = (byte)value;
        _buffer.Advance(length);
    }

    private static uint Take(ref ReadOnlySpan<byte> rest)
    {
        var (value, shift) = (0u, 0);
        while (shift < 35 && !rest.IsEmpty)
        {
            var part = rest[0];
            rest = rest[1..];
            value |= (uint)(part & 0x7F) << shift;
            shift += 7;
            if (part < 0x80)
            {
                return value;
            }
        }

        throw new FormatException("The resume state of an answer ends inside a number.");
    }
}
