using System.Buffers;

namespace AgentPlatform.Inference.Chat;

/// <summary>
/// Writes a streamed chat completion as server-sent events: <c>data: {chunk}</c> for each part of the answer, one with the usage, then
/// <c>data: [DONE]</c>.
/// </summary>
/// <param name="envelope">The members that all chunks of the answer share.</param>
/// <param name="includeUsage">Whether the usage gets a chunk of its own; then each chunk before it says <c>"usage":null</c>, as OpenAI's
/// do.</param>
/// <remarks>Keeps nothing of an answer, and allocates nothing for a part of it.</remarks>
public sealed class ChatEvents(ChatEnvelope envelope, bool includeUsage)
{
    /// <summary>What every event begins with.</summary>
    public static ReadOnlySpan<byte> Begin => "data: "u8;

    /// <summary>What every event ends with.</summary>
    public static ReadOnlySpan<byte> End => "\n\n"u8;

    /// <summary>
    /// A comment that fills a silence. Without the empty line that would make it look like an event: OpenAI's clients for Python and Go
    /// take every empty line for the end of one.
    /// </summary>
    public static ReadOnlySpan<byte> Heartbeat => ": heartbeat\n"u8;

    /// <summary>Writes a part of the answer.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="part">Payload of a <see cref="ReplyKind.Delta"/>.</param>
    /// <param name="id">A line <c>id: ...</c> with its line break, or nothing.</param>
    /// <returns>How many bytes.</returns>
    /// <exception cref="FormatException"><paramref name="part"/> is not an object. Nothing was written.</exception>
    public int WriteDelta(IBufferWriter<byte> output, ReadOnlySpan<byte> part, ReadOnlySpan<byte> id = default)
    {
        var members = ChatEnvelope.Members(part); // Throws before the event begins: an error event could not follow half of one.
        Open(output, id);
        var written = envelope.WriteMembers(output, members, includeUsage ? "\"usage\":null"u8 : default);
        return Close(output, id, written);
    }

    /// <summary>Writes the chunk of usage, <c>{"choices":[],"usage":{...}}</c>.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="usage">Payload of a <see cref="ReplyKind.End"/>.</param>
    /// <param name="id">A line <c>id: ...</c> with its line break, or nothing.</param>
    /// <returns>How many bytes; 0 if nobody asked for the usage, or there is none.</returns>
    public int WriteUsage(IBufferWriter<byte> output, ReadOnlySpan<byte> usage, ReadOnlySpan<byte> id = default)
    {
        if (!includeUsage || usage.IsEmpty)
        {
            return 0;
        }

        Open(output, id);
        return Close(output, id, envelope.WriteUsage(output, usage));
    }

    /// <summary>Writes the event that ends a complete stream.</summary>
    /// <returns>How many bytes.</returns>
    public static int WriteDone(IBufferWriter<byte> output, ReadOnlySpan<byte> id = default)
    {
        Open(output, id);
        output.Write("[DONE]"u8);
        return Close(output, id, "[DONE]".Length);
    }

    /// <summary>Begins an event.</summary>
    public static void Open(IBufferWriter<byte> output, ReadOnlySpan<byte> id = default)
    {
        output.Write(id);
        output.Write(Begin);
    }

    private static int Close(IBufferWriter<byte> output, ReadOnlySpan<byte> id, int written)
    {
        output.Write(End);
        return id.Length + Begin.Length + written + End.Length;
    }
}
