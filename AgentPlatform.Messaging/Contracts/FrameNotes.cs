using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Messaging.Contracts;

/// <summary>Payload of <see cref="ReplyKind.Started"/>.</summary>
/// <param name="Worker">Name of the worker whose engine began.</param>
public sealed record StartedNote(string Worker)
{
    /// <summary>The note as UTF-8 JSON.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, ContractsJsonContext.Default.StartedNote);
}

/// <summary>Payload of <see cref="ReplyKind.Claim"/>.</summary>
/// <param name="Worker">Name of the worker that asks; the answer goes there.</param>
/// <param name="Claim">Identifies the question, which is repeated until it is answered.</param>
/// <param name="Issue">Which message of the request the worker has: 0 for the first, one more for each time that its gateway issued it again.</param>
public sealed record ClaimNote(string Worker, Guid Claim, ushort Issue)
{
    /// <summary>The note as UTF-8 JSON.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, ContractsJsonContext.Default.ClaimNote);
}

/// <summary>JSON that gateway and workers exchange inside frames.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StartedNote))]
[JsonSerializable(typeof(ClaimNote))]
[JsonSerializable(typeof(InferenceError))]
public sealed partial class ContractsJsonContext : JsonSerializerContext;
