namespace AgentPlatform.Training.TinyChat;

/// <summary>Says which topic an answer belongs to: the one whose answer it is, or else shares most words with.</summary>
internal sealed class AnswerJudge(IReadOnlyList<Topic> topics)
{
    // Below this share of common words an answer is to none of the topics.
    private const double Enough = 0.3;

    private readonly List<(string Topic, string Answer, Dictionary<string, int> Words)> _answers =
        [.. topics.SelectMany(topic => topic.Answers.Select(answer => (topic.Id, answer, Words(answer))))];

    public string? TopicOf(string answer)
    {
        var exact = _answers.Find(each => each.Answer == answer).Topic;
        if (exact is not null)
        {
            return exact;
        }

        var words = Words(answer);
        var (topic, overlap) = _answers.Select(each => (each.Topic, Overlap(words, each.Words))).MaxBy(each => each.Item2);
        return overlap >= Enough ? topic : null;
    }

    /// <summary>Twice the words that both have, over the words of both: 1 for equal bags of words, 0 for nothing in common.</summary>
    private static double Overlap(Dictionary<string, int> one, Dictionary<string, int> other) =>
        2.0 * one.Sum(word => Math.Min(word.Value, other.GetValueOrDefault(word.Key))) / (one.Values.Sum() + other.Values.Sum());

    private static Dictionary<string, int> Words(string text) => text.ToLowerInvariant().Split(' ').CountBy(word => word).ToDictionary();
}
