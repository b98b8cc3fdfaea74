using System.Buffers;
using System.Text.Json;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Inference.OpenAI;

/// <summary>Turns a server's chunks into parts of an answer. One object serves a whole stream, so that a chunk allocates nothing.</summary>
public sealed class ChatChunk
{
    private readonly ArrayBufferWriter<byte> _part = new(512);
    private byte[]? _usage;

    /// <summary>The last chunk without id, object, created, model and usage; valid until the next.</summary>
    public ReadOnlyMemory<byte> Part => _part.WrittenMemory;

    /// <summary>Whether a choice has told why it ended.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>The newest usage that came; empty if none did.</summary>
    public ReadOnlyMemory<byte> Usage => _usage;

    /// <summary>Reads a chunk; false if there is nothing in it to pass on.</summary>
    /// <exception cref="FormatException">It is not a chunk.</exception>
    /// <exception cref="UpstreamException">It is an error.</exception>
    public bool Read(ReadOnlySpan<byte> json)
    {
        ChatJson.CheckText(json);
        _part.ResetWrittenCount();
        var hasChoices = false;
        try
        {
            var reader = new Utf8JsonReader(json, JsonLimits.Reader);
            ChatJson.Open(ref reader);
            _part.Write("{"u8);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var start = (int)reader.TokenStartIndex;
                if (reader.ValueTextEquals("error"u8))
                {
                    reader.Read();
                    ThrowError(json, ref reader);
                }
                else if (reader.ValueTextEquals("usage"u8))
                {
                    reader.Read();
                    ReadUsage(json, ref reader);
                    continue;
                }
                else if (reader.ValueTextEquals("choices"u8))
                {
                    reader.Read();
                    hasChoices |= ReadChoices(ref reader);
                }
                else if (ChatJson.IsEnvelope(ref reader))
                {
                    reader.Read();
                    reader.Skip();
                    continue;
                }
                else
                {
                    reader.Read();
                    reader.Skip();
                }

                ChatJson.AppendMember(_part, json[start..(int)reader.BytesConsumed]);
            }

            _part.Write("}"u8);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter is half of a surrogate pair in a name.
            throw new FormatException(e.Message, e);
        }

        return hasChoices;
    }

    private void ReadUsage(ReadOnlySpan<byte> json, ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        var isObject = reader.TokenType == JsonTokenType.StartObject;
        reader.Skip();
        if (isObject)
        {
            // Some servers send it with every chunk, so its buffer is kept while it fits.
            var usage = json[start..(int)reader.BytesConsumed];
            if (_usage?.Length != usage.Length)
            {
                _usage = new byte[usage.Length];
            }

            usage.CopyTo(_usage);
        }
    }

    // "choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]
    private bool ReadChoices(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("'choices' is not an array.");
        }

        var any = false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            any = true;
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new JsonException("A choice is not an object.");
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isReason = reader.ValueTextEquals("finish_reason"u8);
                reader.Read();
                IsFinished |= isReason && reader.TokenType == JsonTokenType.String;
                reader.Skip();
            }
        }

        return any;
    }

    private static void ThrowError(ReadOnlySpan<byte> json, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.Null)
        {
            throw new UpstreamException(UpstreamMessage.Parse(json));
        }
    }
}
