using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Training.TinyChat;

/// <summary>A topic as a line of the corpus has it: <c>{"topic":"stop-strings","answer":"...","questions":["...","..."]}</c>.</summary>
internal sealed record TopicLine
{
    public required string Topic { get; init; }

    public string? Answer { get; init; }

    /// <summary>Instead of <see cref="Answer"/>, where several wordings are as good; the first is the one that is learnt.</summary>
    public string[]? Answers { get; init; }

    public required string[] Questions { get; init; }
}

/// <summary>
/// One topic with its questions from all lines that name it. The area is that of the first file: <c>train-AREA.jsonl</c>; files with more
/// wordings, <c>train-more*.jsonl</c>, come last.
/// </summary>
internal sealed record Topic(string Id, string Area, IReadOnlyList<string> Answers, IReadOnlyList<string> Questions)
{
    /// <summary>The topic of all questions that the model is to say it cannot answer.</summary>
    public const string Unknown = "unknown";

    /// <summary>
    /// Reads <c>train-*.jsonl</c> of a folder, in the order of their names. A question
    /// that is also held out, whatever its case and punctuation, is left out.
    /// </summary>
    /// <exception cref="InvalidDataException">A line is wrong, or a question stands under two topics.</exception>
    public static List<Topic> Read(string folder)
    {
        var lines = Lines(folder, "train-");
        var heldOut = Lines(folder, "heldout-").SelectMany(line => line.Line.Questions).Select(Bare).ToHashSet();
        var topics = lines.GroupBy(line => line.Line.Topic).Select(group => new Topic(
            group.Key,
            group.First().Area,
            [.. group.SelectMany(line => line.Line.Answers ?? (line.Line.Answer is { } answer ? [answer] : [])).Distinct()],
            [.. group.SelectMany(line => line.Line.Questions).Distinct().Where(question => !heldOut.Contains(Bare(question)))])).ToList();
        var owners = new Dictionary<string, string>();
        foreach (var topic in topics)
        {
            if (topic.Answers.Count == 0)
            {
                throw new InvalidDataException($"The topic {topic.Id} has no answer.");
            }

            foreach (var question in topic.Questions)
            {
                if (!owners.TryAdd(question, topic.Id))
                {
                    throw new InvalidDataException($"The question \"{question}\" stands under {owners[question]} and under {topic.Id}.");
                }
            }
        }

        return topics;
    }

    /// <summary>Reads <c>heldout-*.jsonl</c>, which have no answers: questions by topic.</summary>
    /// <exception cref="InvalidDataException">A question's topic is not in the training data.</exception>
    public static List<(string Topic, string Question)> ReadHeldOut(string folder, IReadOnlyList<Topic> topics)
    {
        var ids = topics.Select(topic => topic.Id).ToHashSet();
        var questions = Lines(folder, "heldout-").SelectMany(line =>
            line.Line.Questions.Select(question => (line.Line.Topic, Question: question))).ToList();
        return questions.Find(each => !ids.Contains(each.Topic)).Topic is { } missing
            ? throw new InvalidDataException($"There are held-out questions of the topic {missing}, but no training data.")
            : questions;
    }

    private static string Bare(string question) =>
        string.Concat(question.ToLowerInvariant().Where(character => char.IsLetterOrDigit(character) || character == ' '));

    private static List<(string Area, TopicLine Line)> Lines(string folder, string prefix)
    {
        var files = Directory.GetFiles(folder, $"{prefix}*.jsonl")
            .OrderBy(file => file.Contains("-more", StringComparison.Ordinal) || file.Contains("-corpus", StringComparison.Ordinal))
            .ThenBy(file => file, StringComparer.Ordinal);
        return [.. files.SelectMany(file => File.ReadLines(file).Select((line, index) =>
        {
            try
            {
                return (
                    Path.GetFileNameWithoutExtension(file)[prefix.Length..],
                    JsonSerializer.Deserialize(line, TopicJson.Default.TopicLine)!);
            }
            catch (JsonException exception)
            {
                throw new InvalidDataException($"{file}, line {index + 1}: {exception.Message}");
            }
        }))];
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(TopicLine))]
internal sealed partial class TopicJson : JsonSerializerContext;
