using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Inference.OpenAI;

/// <summary>Changes single members of chat requests and answers; all others keep their bytes.</summary>
public static class ChatJson
{
    /// <summary>The request with <paramref name="model"/> for its model, and one if it names none.</summary>
    /// <param name="request">A validated JSON object.</param>
    /// <param name="model">The model's name on the other side.</param>
    /// <param name="always">Whether to add the name to a request without one.</param>
    public static byte[] WithModel(ReadOnlySpan<byte> request, string model, bool always = true)
    {
        var output = new ArrayBufferWriter<byte>(request.Length + model.Length + 16);
        var name = JsonSerializer.SerializeToUtf8Bytes(model, ChatJsonContext.Default.String);
        var reader = new Utf8JsonReader(request, JsonLimits.Reader);
        reader.Read();
        var (copied, found) = (0, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isModel = reader.ValueTextEquals("model"u8);
            reader.Read();
            if (isModel)
            {
                output.Write(request[copied..(int)reader.TokenStartIndex]);
                output.Write(name);
                found = true;
            }

            reader.Skip();
            copied = isModel ? (int)reader.BytesConsumed : copied;
        }

        output.Write(request[copied..]);
        return found || !always ? output.WrittenSpan.ToArray() : Insert(output.WrittenSpan, name);
    }

    /// <summary>
    /// A completion without the members that the HTTP surface writes itself (id, object, created, model), and those of the server's
    /// account.
    /// </summary>
    /// <exception cref="FormatException">It is not a JSON object with <c>choices</c>.</exception>
    public static byte[] WithoutEnvelope(ReadOnlySpan<byte> completion)
    {
        CheckText(completion);
        var output = new ArrayBufferWriter<byte>(completion.Length + 1);
        var hasChoices = false;
        try
        {
            var reader = new Utf8JsonReader(completion, JsonLimits.Reader);
            Open(ref reader);
            output.Write("{"u8);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var start = (int)reader.TokenStartIndex;
                var isEnvelope = IsEnvelope(ref reader);
                hasChoices |= reader.ValueTextEquals("choices"u8);
                reader.Read();
                reader.Skip();
                if (!isEnvelope)
                {
                    AppendMember(output, completion[start..(int)reader.BytesConsumed]);
                }
            }

            output.Write("}"u8);
            reader.Read(); // Fails if something follows the object.
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter is half of a surrogate pair in a name.
            throw new FormatException(e.Message, e);
        }

        return hasChoices ? output.WrittenSpan.ToArray() : throw new FormatException("The answer has no choices.");
    }

    /// <exception cref="FormatException">It is not UTF-8, which JSON is, and clients rely on: readers of JSON do not look into strings that
    /// nobody asks for.</exception>
    internal static void CheckText(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
        {
            throw new FormatException("It is not valid UTF-8.");
        }
    }

    internal static void Open(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("It is not a JSON object.");
        }
    }

    /// <summary>Whether a member is the HTTP surface's own, or tells of the account that the platform has at the server.</summary>
    internal static bool IsEnvelope(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("id"u8) || reader.ValueTextEquals("object"u8) || reader.ValueTextEquals("created"u8)
            || reader.ValueTextEquals("model"u8)
        || reader.ValueTextEquals("organization"u8) || reader.ValueTextEquals("organization_id"u8) || reader.ValueTextEquals("project"u8)
        || reader.ValueTextEquals("project_id"u8) || reader.ValueTextEquals("account"u8) || reader.ValueTextEquals("request_id"u8);

    internal static void AppendMember(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> member)
    {
        if (output.WrittenCount > 1)
        {
            output.Write(","u8);
        }

        output.Write(member);
    }

    private static byte[] Insert(ReadOnlySpan<byte> request, ReadOnlySpan<byte> name)
    {
        var open = request.IndexOf((byte)'{') + 1;
        var isEmpty = request[open..].TrimStart(" \r\n\t"u8)[0] == '}';
        return [.. request[..open], .. "\"model\":"u8, .. name, .. isEmpty ? default : ","u8, .. request[open..]];
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
public sealed partial class ChatJsonContext : System.Text.Json.Serialization.JsonSerializerContext;
