using System.Text.Json;

namespace AgentPlatform.Inference.Json;

/// <summary>
/// Reads the value of a field that must have a certain type and range. The error, an <see cref="InferenceException"/>, names the field.
/// </summary>
public static class JsonField
{
    /// <summary>The value of a string.</summary>
    public static string ReadString(ref Utf8JsonReader reader, string field) =>
        reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw Wrong(field, "a string");

    /// <summary>The value of a boolean.</summary>
    public static bool ReadBoolean(ref Utf8JsonReader reader, string field) =>
        reader.TokenType is JsonTokenType.True or JsonTokenType.False ? reader.GetBoolean() : throw Wrong(field, "a boolean");

    /// <summary>An integer between two others.</summary>
    public static void CheckInteger(ref Utf8JsonReader reader, string field, long min, long max)
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

    /// <summary>A number between two others.</summary>
    public static void CheckNumber(ref Utf8JsonReader reader, string field, double min, double max)
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

    /// <summary>An object, whatever is in it.</summary>
    public static void SkipObject(ref Utf8JsonReader reader, string field) =>
        Skip(ref reader, field, JsonTokenType.StartObject, "an object");

    /// <summary>An array of objects; returns how many.</summary>
    public static int CountObjects(ref Utf8JsonReader reader, string field, int max)
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

    /// <summary>The field has another type.</summary>
    public static InferenceException Wrong(string field, string expected) =>
        new(InferenceError.Invalid($"'{field}' must be {expected}.", field, "invalid_type"));

    /// <summary>The field is not there.</summary>
    public static InferenceException Missing(string field) =>
        new(InferenceError.Invalid($"'{field}' is required.", field, "missing_required_parameter"));

    /// <summary>The field's value is too small or too large.</summary>
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
