using System.Text.Json;

namespace AgentPlatform.OnnxChat.Model;

/// <summary>Reads the JSON files beside a model, of whose many members only some matter here.</summary>
internal static class ModelJson
{
    /// <summary>The object in a file; an empty one if there is no such file.</summary>
    /// <exception cref="InvalidDataException">It cannot be read or is not a JSON object.</exception>
    public static JsonElement Read(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.Exists(path) ? File.ReadAllBytes(path) : "{}"u8.ToArray());
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? json.RootElement.Clone()
                : throw new JsonException("It is not a JSON object.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InvalidDataException($"The file {path} cannot be read: {e.Message}", e);
        }
    }

    public static int? Integer(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : null;

    public static float? Number(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetSingle() : null;

    public static bool Is(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    public static string? Text(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A number, or the numbers of a list: <c>2</c>, <c>[2,5]</c>.</summary>
    public static IEnumerable<int> Integers(this JsonElement json, string name) => !json.TryGetProperty(name, out var value) ? []
        : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray()
            .Where(item => item.ValueKind == JsonValueKind.Number).Select(item => item.GetInt32())
        : json.Integer(name) is { } number ? [number] : [];

    /// <summary>A token's text: <c>"&lt;s&gt;"</c>, or <c>{"content":"&lt;s&gt;"}</c>.</summary>
    public static string? Token(this JsonElement json, string name) =>
        json.Text(name)
            ?? (json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value.Text("content") : null);
}
