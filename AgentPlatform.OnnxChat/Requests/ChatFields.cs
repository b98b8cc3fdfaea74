using System.Globalization;
using System.Text.Json;
using AgentPlatform.Inference;

namespace AgentPlatform.OnnxChat.Requests;

/// <summary>
/// The fields of a request's body. What the HTTP surface has checked is checked again where the engine relies on it, since it passes on
/// fields that it does not know unseen. A field that is null is as if it were not there.
/// </summary>
/// <exception cref="InferenceException">400: a field has a value that it cannot have.</exception>
internal readonly struct ChatFields(JsonElement body)
{
    public JsonElement? Find(string name) => body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public bool? Boolean(string name) => Find(name)?.ValueKind switch
    {
        null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, "true or false"),
    };

    public long? Integer(string name, long least, long most) => Find(name) is not { } value ? null
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

    /// <summary>What is added to the logits of tokens: <c>{"50256":-100}</c></summary>
    public IReadOnlyDictionary<int, float> Biases(string name, int vocabulary)
    {
        var biases = new SortedDictionary<int, float>();
        if (Find(name) is not { } value)
        {
            return biases;
        }

        foreach (var member in value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw Wrong(name, "an object"))
        {
            if (!int.TryParse(member.Name, CultureInfo.InvariantCulture, out var token) || token < 0 || token >= vocabulary)
            {
                throw Wrong(name, $"an object whose members are named by tokens, from 0 to {vocabulary - 1}; '{member.Name}' is none");
            }

            biases[token] = member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetSingle(out var bias) && Math.Abs(bias) <= 100
                ? bias : throw Wrong(name, "an object whose values are numbers from -100 to 100");
        }

        return biases;
    }

    public static InferenceException Wrong(string name, string wanted) => new(InferenceError.Invalid($"'{name}' must be {wanted}.", name, "invalid_value"));
}
