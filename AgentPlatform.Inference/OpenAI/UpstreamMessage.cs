using System.Text.Json;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Inference.OpenAI;

/// <summary>What a server says of a failure, as far as it can be read.</summary>
/// <param name="Message">For a person.</param>
/// <param name="Type">OpenAI's error type.</param>
/// <param name="Code">For a machine.</param>
/// <param name="Param">The field at fault.</param>
public sealed record UpstreamMessage(string? Message, string? Type, string? Code, string? Param)
{
    private const int MaxLength = 500;

    /// <summary>
    /// Reads OpenAI's envelope, and the shapes of servers that are only nearly compatible:
    /// <c>{"error":{"message":"...","code":400}}</c>, <c>{"error":"..."}</c>, <c>{"message":"..."}</c>, <c>{"detail":"..."}</c>.
    /// </summary>
    public static UpstreamMessage Parse(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body, JsonLimits.Reader);
            using var json = JsonDocument.ParseValue(ref reader);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return new UpstreamMessage(null, null, null, null);
            }

            if (root.TryGetProperty("error", out var error))
            {
                return error.ValueKind == JsonValueKind.Object ? Read(error) : new UpstreamMessage(Text(error), null, null, null);
            }

            return Read(root);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter is half of a surrogate pair in a string.
            return new UpstreamMessage(null, null, null, null);
        }
    }

    private static UpstreamMessage Read(JsonElement error) =>
        new(Member(error, "message") ?? Member(error, "detail") ?? Member(error, "title"), Member(error, "type"), Member(error, "code"),
            Member(error, "param"));

    private static string? Member(JsonElement error, string name) => error.TryGetProperty(name, out var value) ? Text(value) : null;

    private static string? Text(JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };
        return text?.Length > MaxLength ? text[..MaxLength] : text;
    }
}
