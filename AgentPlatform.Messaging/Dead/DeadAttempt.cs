using System.Text.Json;
using System.Text.Json.Serialization;
using AgentPlatform.Messaging.Replies;

namespace AgentPlatform.Messaging.Dead;

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

    /// <summary>An attempt as its gateway noted it.</summary>
    internal static DeadAttempt Of(AttemptRecord record) => new(record.Attempt, record.Worker, (int)record.Parts, record.End.ToString().ToLowerInvariant());

    /// <summary>The story as JSON: its latest attempts, with long texts cut.</summary>
    internal static string Write(IReadOnlyList<DeadAttempt> story) => JsonSerializer.Serialize(
        [.. story.Skip(story.Count - MaxAttempts).Select(attempt => attempt with { Worker = Cut(attempt.Worker), End = Cut(attempt.End) })],
        DeadJsonContext.Default.DeadAttemptArray);

    /// <summary>Reads a story; an empty one if it cannot be read.</summary>
    internal static IReadOnlyList<DeadAttempt> Read(string? story)
    {
        try
        {
            return story is null ? [] : [.. (JsonSerializer.Deserialize(story, DeadJsonContext.Default.DeadAttemptArray) ?? []).OfType<DeadAttempt>()];
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
