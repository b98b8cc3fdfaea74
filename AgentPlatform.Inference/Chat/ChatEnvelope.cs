using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AgentPlatform.Inference.Chat;

/// <summary>
/// The members that the HTTP surface adds to every object of an answer: id, object, created and model. Written once per request;
/// what comes from the engine is put behind it as bytes, never parsed.
/// </summary>
public sealed class ChatEnvelope
{
    private readonly byte[] _opening;

    private static ReadOnlySpan<byte> _usage => ",\"choices\":[],\"usage\":"u8;

    private ChatEnvelope(string kind, InferenceRequest request, DateTimeOffset created)
    {
        var buffer = new ArrayBufferWriter<byte>(160);
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("id", $"chatcmpl-{request.RequestId:N}");
        json.WriteString("object", kind);
        json.WriteNumber("created", created.ToUnixTimeSeconds());
        json.WriteString("model", request.Model);
        json.Flush();
        _opening = buffer.WrittenSpan.ToArray(); // The object stays open.
    }

    /// <summary>The envelope of a whole answer.</summary>
    public static ChatEnvelope ForCompletion(InferenceRequest request, DateTimeOffset created) => new("chat.completion", request, created);

    /// <summary>The envelope of each piece of a streamed answer.</summary>
    public static ChatEnvelope ForChunks(InferenceRequest request, DateTimeOffset created) =>
        new("chat.completion.chunk", request, created);

    /// <summary>Writes <paramref name="part"/>, a JSON object, with the envelope's members before its own.</summary>
    /// <returns>How many bytes.</returns>
    /// <exception cref="FormatException"><paramref name="part"/> is not an object. Nothing was written.</exception>
    public int Write(IBufferWriter<byte> output, ReadOnlySpan<byte> part) => WriteMembers(output, Members(part));

    /// <summary>Writes an object of the envelope's members, then <paramref name="members"/>, then <paramref name="lastMember"/>.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="members">See <see cref="Members"/>; may be empty.</param>
    /// <param name="lastMember"><c>"name":value</c>, or empty.</param>
    /// <returns>How many bytes.</returns>
    internal int WriteMembers(IBufferWriter<byte> output, ReadOnlySpan<byte> members, ReadOnlySpan<byte> lastMember = default)
    {
        output.Write(_opening);
        var written = _opening.Length;
        if (!members.IsEmpty)
        {
            output.Write(","u8);
            WriteOneLine(output, members);
            written += members.Length + 1;
        }

        if (!lastMember.IsEmpty)
        {
            output.Write(","u8);
            output.Write(lastMember);
            written += lastMember.Length + 1;
        }

        output.Write("}"u8);
        return written + 1;
    }

    /// <summary>Writes the object that ends a stream with <paramref name="usage"/>, and has no choices.</summary>
    /// <returns>How many bytes.</returns>
    internal int WriteUsage(IBufferWriter<byte> output, ReadOnlySpan<byte> usage)
    {
        output.Write(_opening);
        output.Write(_usage);
        WriteOneLine(output, usage);
        output.Write("}"u8);
        return _opening.Length + _usage.Length + usage.Length + 1;
    }

    /// <summary>What stands between the braces of an object.</summary>
    /// <exception cref="FormatException">There are none.</exception>
    internal static ReadOnlySpan<byte> Members(ReadOnlySpan<byte> part) => part.Trim(" \r\n\t"u8) is [(byte)'{', .. var members, (byte)'}']
        ? members.Trim(" \r\n\t"u8)
        : throw new FormatException("A part of an answer is not a JSON object.");

    // A line break can only stand between the tokens of JSON, where a space is as good and cannot end an SSE line.
    private static void WriteOneLine(IBufferWriter<byte> output, ReadOnlySpan<byte> json)
    {
        while (json.IndexOfAny((byte)'\r', (byte)'\n') is >= 0 and var at)
        {
            output.Write(json[..at]);
            output.Write(" "u8);
            json = json[(at + 1)..];
        }

        output.Write(json);
    }
}
