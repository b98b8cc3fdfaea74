using System.Globalization;
using System.Text.Json;

namespace AgentPlatform.Inference.Json;

/// <summary>Says where in a JSON value something is, such as <c>messages[2].content</c>.</summary>
internal static class JsonPlace
{
    private const int MaxLength = 200;

    /// <summary>The path to the token at or before <paramref name="position"/>; null for the root, and where it cannot be told.</summary>
    /// <param name="json">JSON, valid up to there but for what is in its strings.</param>
    /// <param name="position">Index of a byte.</param>
    public static string? Find(ReadOnlySpan<byte> json, int position)
    {
        var open = new List<Container>();
        var reader = new Utf8JsonReader(json, JsonLimits.Reader);
        try
        {
            while (reader.Read() && reader.TokenStartIndex <= position)
            {
                Follow(ref reader, open);
            }
        }
        catch (JsonException)
        {
            return null; // What breaks there, or on the way, is not JSON either.
        }

        var path = string.Concat(open.Select(container => container.ToString())).TrimStart('.');
        return path.Length is 0 or > MaxLength ? null : path;
    }

    private static void Follow(ref Utf8JsonReader reader, List<Container> open)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                open[^1].Name = Name(ref reader);
                return;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                open.RemoveAt(open.Count - 1);
                return;
            default:
                break;
        }

        if (open is [.., { IsArray: true } array])
        {
            array.Index++;
        }

        if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            open.Add(new Container { IsArray = reader.TokenType == JsonTokenType.StartArray });
        }
    }

    private static string? Name(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // The name itself is what is wrong.
        }
    }

    private sealed class Container
    {
        public bool IsArray { get; init; }

        public int Index { get; set; } = -1;

        public string? Name { get; set; }

        public override string ToString() => (IsArray, Name) switch
        {
            (true, _) when Index >= 0 => string.Create(CultureInfo.InvariantCulture, $"[{Index}]"),
            (false, not null) => $".{Name}",
            _ => "",
        };
    }
}
