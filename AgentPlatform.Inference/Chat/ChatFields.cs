using System.Globalization;
using System.Text.Json;

namespace AgentPlatform.Inference.Chat;

/// <summary>
/// The fields of a request's body, by name. What the HTTP surface has checked is checked again where an engine relies on it, since the
/// surface passes on unknown fields unseen. A field that is null is as if it were not there.
/// </summary>
/// <exception cref="InferenceException">400: a field has a value that it cannot have.</exception>
public readonly struct ChatFields(JsonElement body)
{
    /// <summary>The value of a field; null if there is none.</summary>
    public JsonElement? Find(string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public bool? Boolean(string name) => Find(name)?.ValueKind switch
    {
        null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, "true or false"),
    };

    public long? WholeNumber(string name, long least, long most) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most ? number
        : throw Wrong(name, $"an integer from {least} to {most}");

    public float? Number(string name, float least, float most) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out var number) && number >= least && number <= most ? number
        : throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"));

    /// <summary>A string or a list of strings, without empty ones.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        if (Find(name) is not { } value)
        {
            return [];
        }

        List<string> texts = [];
        foreach (var item in value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : Enumerable.Repeat(value, 1))
        {
            texts.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(name, "a string or a list of strings"));
        }

        return texts.FindAll(text => text.Length > 0);
    }

    /// <summary>The error of a field with a value that it cannot have: <c>'top_k' must be an integer</c>.</summary>
    public static InferenceException Wrong(string name, string wanted) =>
        new(InferenceError.Invalid($"'{name}' must be {wanted}.", name, "invalid_value"));
}
