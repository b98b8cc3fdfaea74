using System.Text.Json;

namespace AgentPlatform.Inference.Json;

/// <summary>
/// How deep the JSON of requests and answers may be nested, for everybody who reads it: tool schemas are deeper than the framework's
/// default of 64.
/// </summary>
public static class JsonLimits
{
    /// <summary>Deepest nesting of a request.</summary>
    public const int MaxDepth = 128;

    // A batch, an envelope or an event puts a few levels around a request or an answer.
    private const int Deepest = MaxDepth + 8;

    /// <summary>For a <see cref="Utf8JsonReader"/>.</summary>
    public static JsonReaderOptions Reader { get; } = new() { MaxDepth = Deepest };

    /// <summary>For a <see cref="JsonDocument"/>.</summary>
    public static JsonDocumentOptions Document { get; } = new() { MaxDepth = Deepest };
}
