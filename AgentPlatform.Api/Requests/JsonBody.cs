using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Api.Requests;

/// <summary>Checks that a body is JSON, so that what reads it afterwards need only look for the fields that it knows.</summary>
internal static class JsonBody
{
    /// <exception cref="InferenceException">400: no body, not UTF-8, or not one JSON value.</exception>
    public static void Check(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
        {
            throw Invalid("The request has no body.");
        }

        // Utf8JsonReader does not look into strings that nobody asks for.
        if (!Utf8.IsValid(body))
        {
            throw Invalid("The body is not valid UTF-8.");
        }

        try
        {
            var reader = new Utf8JsonReader(body);
            while (reader.Read())
            {
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
            throw Invalid("The body is not valid UTF-8: a string escapes half of a surrogate pair.");
        }
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
