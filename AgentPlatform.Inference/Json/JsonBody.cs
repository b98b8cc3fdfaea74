using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace AgentPlatform.Inference.Json;

/// <summary>Checks that a body is JSON, so that what reads it afterwards need only look for the fields that it knows.</summary>
public static class JsonBody
{
    /// <param name="body">All of it.</param>
    /// <param name="maxValues">Most JSON values that it may hold.</param>
    /// <param name="maxDepth">How deep it may be nested.</param>
    /// <exception cref="InferenceException">400: no body, not UTF-8, or not one JSON value, one of too many, or nested too
    /// deep.</exception>
    public static void Check(ReadOnlySpan<byte> body, int maxValues, int maxDepth = JsonLimits.MaxDepth)
    {
        if (body.IsEmpty)
        {
            throw Invalid("The request has no body.");
        }

        // Utf8JsonReader does not look into strings that nobody asks for.
        if (!Utf8.IsValid(body))
        {
            throw NotUtf8(body, FirstInvalid(body), "");
        }

        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = maxDepth + 1 });
        try
        {
            var values = 0;
            while (reader.Read())
            {
                values += reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.EndObject or JsonTokenType.EndArray ? 0 : 1;
                if (values > maxValues)
                {
                    throw new InferenceException(InferenceError.Invalid($"The body holds more than {maxValues} JSON values.",
                        code: "value_out_of_range"));
                }

                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && reader.CurrentDepth == maxDepth)
                {
                    throw new InferenceException(InferenceError.Invalid($"The body is nested more than {maxDepth} deep.",
                        code: "nested_too_deep"));
                }

                if (reader.ValueIsEscaped)
                {
                    CheckEscapes(ref reader);
                }
            }
        }
        catch (JsonException e)
        {
            throw Invalid($"The body is not valid JSON: it breaks at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.");
        }
        catch (InvalidOperationException)
        {
            throw NotUtf8(body, (int)reader.TokenStartIndex, ": a string escapes half of a surrogate pair");
        }
    }

    private static int FirstInvalid(ReadOnlySpan<byte> body)
    {
        var at = 0;
        while (Rune.DecodeFromUtf8(body[at..], out _, out var length) == OperationStatus.Done)
        {
            at += length;
        }

        return at;
    }

    private static InferenceException NotUtf8(ReadOnlySpan<byte> body, int at, string why)
    {
        var place = JsonPlace.Find(body, at);
        var where = place is null ? "" : $", in '{place}'";
        return new(InferenceError.Invalid($"The body is not valid UTF-8 at byte {at + 1}{where}{why}.", place, "invalid_json"));
    }

    private static void CheckEscapes(ref Utf8JsonReader reader)
    {
        var scratch = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            reader.CopyString(scratch);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    private static InferenceException Invalid(string message) => new(InferenceError.Invalid(message, code: "invalid_json"));
}
