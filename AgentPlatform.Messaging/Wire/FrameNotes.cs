using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;

namespace AgentPlatform.Messaging.Wire;

/// <summary>Payload of <see cref="FrameKind.Started"/>.</summary>
/// <param name="Worker">Name of the worker whose engine began.</param>
public sealed record StartedNote(string Worker)
{
    /// <summary>The note as UTF-8 JSON.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, ContractsJsonContext.Default.StartedNote);

    /// <summary>Reads a note; null if it is none.</summary>
    internal static StartedNote? Read(ReadOnlySpan<byte> utf8) =>
        FrameNotes.Read(utf8, ContractsJsonContext.Default.StartedNote) is { Worker: not null } note ? note : null;
}

/// <summary>Payload of <see cref="FrameKind.Claim"/>.</summary>
/// <param name="Worker">Name of the worker that asks; the answer goes there.</param>
/// <param name="Claim">Identifies the question, which is repeated until it is answered.</param>
/// <param name="Issue">Which message of the request the worker has: 0 for the first, one more for each time that its gateway issued it
/// again.</param>
public sealed record ClaimNote(string Worker, Guid Claim, ushort Issue)
{
    /// <summary>The note as UTF-8 JSON.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, ContractsJsonContext.Default.ClaimNote);

    /// <summary>Reads a note; null if it is none.</summary>
    internal static ClaimNote? Read(ReadOnlySpan<byte> utf8) =>
        FrameNotes.Read(utf8, ContractsJsonContext.Default.ClaimNote) is { Worker.Length: > 0 } note ? note : null;
}

/// <summary>Payload of <see cref="FrameKind.Error"/>: an <see cref="InferenceError"/>, and who says so.</summary>
/// <param name="Worker">Name of the worker; null if it does not say.</param>
/// <param name="Status">See <see cref="InferenceError"/>, as are the others.</param>
/// <param name="Type">Of OpenAI's types.</param>
/// <param name="Message">For a person.</param>
/// <param name="Code">For a program.</param>
/// <param name="Param">The field at fault.</param>
/// <param name="RetryAfterSeconds">When a retry makes sense.</param>
public sealed record ErrorNote(
    string? Worker, int Status, string? Type, string? Message, string? Code, string? Param, int? RetryAfterSeconds)
{
    /// <summary>The error as UTF-8 JSON.</summary>
    public static byte[] ToUtf8(InferenceError error, string worker)
    {
        ArgumentNullException.ThrowIfNull(error);
        var note = new ErrorNote(worker, error.Status, error.Type, error.Message, error.Code, error.Param, error.RetryAfterSeconds);
        return JsonSerializer.SerializeToUtf8Bytes(note, ContractsJsonContext.Default.ErrorNote);
    }

    /// <summary>Reads an error; one that says so if it cannot be read.</summary>
    internal static ErrorNote Read(ReadOnlySpan<byte> utf8) =>
        FrameNotes.Read(utf8,
            ContractsJsonContext.Default.ErrorNote) is { Status: >= 400 and <= 599, Type: not null, Message: not null } note
        ? note
        : new ErrorNote(null, 502, "server_error", "The worker failed and its reason could not be read.", "engine_error", null, null);

    /// <summary>The error.</summary>
    internal InferenceError ToError() => new(ErrorFormat.KindOf(Status), Message!, Code, Param, RetryAfterSeconds);
}

/// <summary>Reads what a worker wrote into a frame. Others share the frame's message, so nothing here throws.</summary>
internal static class FrameNotes
{
    public static T? Read<T>(ReadOnlySpan<byte> utf8, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(utf8, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>JSON that gateway and workers exchange inside frames.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StartedNote))]
[JsonSerializable(typeof(ClaimNote))]
[JsonSerializable(typeof(ErrorNote))]
[JsonSerializable(typeof(InferenceError))]
public sealed partial class ContractsJsonContext : JsonSerializerContext;
