using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Training.TinyChat;

/// <summary>What the written model answers to the held-out questions; the model's <c>metrics.json</c>. Shares are of 1.</summary>
/// <param name="Parameters">Number of weights.</param>
/// <param name="Topics">Topics with an answer of their own, beside the one for what is off topic.</param>
/// <param name="TrainingQuestions">Questions that it was trained on.</param>
/// <param name="HeldOut">On topic: the answers that are the right topic's.</param>
/// <param name="Exact">On topic: the answers that are the right topic's word for word.</param>
/// <param name="FalseRefusals">On topic: the answers that say it does not know.</param>
/// <param name="OffTopic">Off topic: the answers that say it does not know.</param>
/// <param name="Areas"><paramref name="HeldOut"/> by area.</param>
internal sealed record TinyChatMetrics(
    long Parameters, int Topics, int TrainingQuestions, Share HeldOut, double Exact, double FalseRefusals, Share OffTopic,
    SortedDictionary<string, Share> Areas)
{
    public static TinyChatMetrics Of(long parameters, IReadOnlyList<Topic> topics, IReadOnlyList<JudgedAnswer> answers)
    {
        var known = topics.Where(topic => topic.Id != Topic.Unknown).ToDictionary(topic => topic.Id);
        var (onTopic, offTopic) = (
            answers.Where(answer => answer.Topic != Topic.Unknown).ToList(),
            answers.Where(answer => answer.Topic == Topic.Unknown).ToList());
        return new TinyChatMetrics(
            parameters,
            known.Count,
            topics.Sum(topic => topic.Questions.Count),
            Share.Of(onTopic, answer => answer.IsRight),
            Share.Of(onTopic, answer => known[answer.Topic].Answers.Contains(answer.Answer)).Value,
            Share.Of(onTopic, answer => answer.Said == Topic.Unknown).Value,
            Share.Of(offTopic, answer => answer.IsRight),
            new(onTopic.GroupBy(answer => known[answer.Topic].Area).ToDictionary(
                area => area.Key, area => Share.Of([.. area], answer => answer.IsRight))));
    }

    public void Print()
    {
        Console.WriteLine(
            $"{Topics} topics, {TrainingQuestions} questions for training, {HeldOut.Questions} held out on topic and "
            + $"{OffTopic.Questions} off topic; {Parameters} parameters");
        Console.WriteLine(
            $"Held out: {HeldOut.Value:P1} answered with the right topic, {Exact:P1} word for word, "
            + $"{FalseRefusals:P1} wrongly refused; off topic {OffTopic.Value:P1} refused");
        Console.WriteLine("| Area | Questions | Right |\n|---|---|---|");
        foreach (var (area, share) in Areas)
        {
            Console.WriteLine($"| {area} | {share.Questions} | {share.Value:P0} |");
        }
    }
}

/// <summary>How many questions, and the share of them that something is true of.</summary>
internal sealed record Share(int Questions, double Value)
{
    public static Share Of(IReadOnlyCollection<JudgedAnswer> answers, Func<JudgedAnswer, bool> isTrue) =>
        new(answers.Count, answers.Count == 0 ? 0 : Math.Round(answers.Count(isTrue) / (double)answers.Count, 4));
}

/// <summary>An answer to a question of <paramref name="Topic"/>, and the topic that it belongs to, if to any.</summary>
internal sealed record JudgedAnswer(string Topic, string Question, string Answer, string? Said)
{
    public bool IsRight => Said == Topic;
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(TinyChatMetrics))]
internal sealed partial class TinyChatJson : JsonSerializerContext;
