using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Messaging.Wire;

/// <summary>One run of a job that could not be done. Sample: <c>{"attempt":1,"worker":"gpu-3.41","parts":0,"end":"lost"}</c></summary>
/// <param name="Attempt">Its number; 0 is the first.</param>
/// <param name="Worker">Who ran it, if that was heard.</param>
/// <param name="Parts">How many new parts of the answer came of it.</param>
/// <param name="End">How it ended, in a few words.</param>
public sealed record DeadAttempt(int Attempt, string? Worker, int Parts, string? End)
{
    // AMQP wants all headers of a message in one frame, of which 8 KiB are sure.
    private const int MaxText = 100;
    private const int MaxAttempts = 20;

    /// <summary>Attempts as JSON: the latest ones, with long texts cut.</summary>
    internal static string Write(IReadOnlyList<DeadAttempt> attempts) => JsonSerializer.Serialize(
        [.. attempts.Skip(attempts.Count - MaxAttempts)
            .Select(attempt => attempt with { Worker = Cut(attempt.Worker), End = Cut(attempt.End) })],
        DeadJsonContext.Default.DeadAttemptArray);

    /// <summary>Reads attempts; none if they cannot be read.</summary>
    internal static IReadOnlyList<DeadAttempt> Read(string? json)
    {
        try
        {
            return json is null
                ? []
                : [.. (JsonSerializer.Deserialize(json, DeadJsonContext.Default.DeadAttemptArray) ?? []).OfType<DeadAttempt>()];
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            // The latter is half of a surrogate pair.
            // Whoever wrote it: the job itself is still worth a look.
            return [];
        }
    }

    private static string? Cut(string? text) => text?.Length > MaxText ? text[..MaxText] : text;
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DeadAttempt[]))]
internal sealed partial class DeadJsonContext : JsonSerializerContext;
