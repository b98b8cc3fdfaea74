using System.Text.Json;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Inference.Analyze;

/// <summary>What this surface needs to know of a request such as <c>{"text":"I love it"}</c>.</summary>
/// <param name="Model">The model asked for; null if none is named.</param>
/// <param name="TextSize">Bytes of the text, as it is written in the JSON.</param>
public readonly record struct AnalyzeRequest(string? Model, int TextSize)
{
    /// <exception cref="InferenceException">400: the text is too long.</exception>
    public void RequireFit(RequestLimits limits) => JsonField.RequireAtMost(TextSize, limits.MaxTextSize, "text", "bytes");

    /// <summary>Reads and validates a request.</summary>
    /// <param name="json">One JSON value, checked by <see cref="JsonBody"/>.</param>
    /// <exception cref="InferenceException">400, naming the field at fault.</exception>
    public static AnalyzeRequest Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, JsonLimits.Reader);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InferenceException(InferenceError.Invalid("The request must be a JSON object."));
        }

        string? model = null;
        var size = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString();
            reader.Read();
            switch (field)
            {
                case "text":
                    size = !string.IsNullOrWhiteSpace(JsonField.ReadString(ref reader, field))
                        ? reader.ValueSpan.Length
                        : throw JsonField.Missing(field);
                    break;
                case "model":
                    model = reader.TokenType == JsonTokenType.Null ? null : JsonField.ReadString(ref reader, field);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return size > 0 ? new AnalyzeRequest(model, size) : throw JsonField.Missing("text");
    }
}
