using System.Text.Json;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Api.Requests;

/// <summary>Reads the value of a field that must have a certain type and range; the error names the field.</summary>
internal static class JsonField
{
    public static string Text(ref Utf8JsonReader reader, string field) =>
        reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw Wrong(field, "a string");

    public static bool Boolean(ref Utf8JsonReader reader, string field) =>
        reader.TokenType is JsonTokenType.True or JsonTokenType.False ? reader.GetBoolean() : throw Wrong(field, "a boolean");

    public static void Integer(ref Utf8JsonReader reader, string field, long min, long max)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var value))
        {
            throw Wrong(field, "an integer");
        }

        if (value < min || value > max)
        {
            throw OutOfRange(field, max == long.MaxValue ? $"at least {min}" : $"between {min} and {max}");
        }
    }

    public static void Number(ref Utf8JsonReader reader, string field, double min, double max)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out var value))
        {
            throw Wrong(field, "a number");
        }

        if (!(value >= min && value <= max))
        {
            throw OutOfRange(field, FormattableString.Invariant($"between {min} and {max}"));
        }
    }

    public static void Object(ref Utf8JsonReader reader, string field) => Skip(ref reader, field, JsonTokenType.StartObject, "an object");

    /// <summary>An array of objects; returns how many.</summary>
    public static int Objects(ref Utf8JsonReader reader, string field, int max)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Wrong(field, "an array");
        }

        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw Wrong($"{field}[{count}]", "an object");
            }

            reader.Skip();
            RequireAtMost(++count, max, field, "items");
        }

        return count;
    }

    public static InferenceException Wrong(string field, string expected) =>
        new(InferenceError.Invalid($"'{field}' must be {expected}.", field, "invalid_type"));

    public static InferenceException Missing(string field) =>
        new(InferenceError.Invalid($"'{field}' is required.", field, "missing_required_parameter"));

    public static InferenceException OutOfRange(string field, string range) =>
        new(InferenceError.Invalid($"'{field}' must be {range}.", field, "value_out_of_range"));

    /// <exception cref="InferenceException">400: there are more.</exception>
    public static void RequireAtMost(int count, int max, string field, string unit)
    {
        if (count > max)
        {
            throw OutOfRange(field, $"at most {max} {unit}");
        }
    }

    private static void Skip(ref Utf8JsonReader reader, string field, JsonTokenType type, string expected)
    {
        if (reader.TokenType != type)
        {
            throw Wrong(field, expected);
        }

        reader.Skip();
    }
}
