using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Messaging.Contracts;

/// <summary>Payload of <see cref="ReplyKind.Started"/>.</summary>
/// <param name="Worker">Name of the worker that took the request.</param>
/// <param name="Replayable">Whether running the same request again gives the same parts, so that a second attempt can stand in for a first one that broke off.</param>
public sealed record StartedNote(string Worker, bool Replayable)
{
    /// <summary>The note as UTF-8 JSON.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, ContractsJsonContext.Default.StartedNote);

    /// <summary>Reads a note.</summary>
    /// <exception cref="FormatException">The payload is not one.</exception>
    public static StartedNote Parse(ReadOnlyMemory<byte> payload)
    {
        try
        {
            return JsonSerializer.Deserialize(payload.Span, ContractsJsonContext.Default.StartedNote)
                ?? throw new FormatException("The payload of a 'started' frame is null.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"The payload of a 'started' frame is not a note: {e.Message}", e);
        }
    }
}

/// <summary>JSON that gateway and workers exchange inside frames.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StartedNote))]
[JsonSerializable(typeof(InferenceError))]
public sealed partial class ContractsJsonContext : JsonSerializerContext;
