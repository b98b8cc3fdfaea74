namespace AgentPlatform.Training.TinyChat;

/// <summary>A conversation to learn from: its tokens, of which those from <paramref name="AnswerStart"/> on are learnt.</summary>
internal sealed record Conversation(int[] Tokens, int AnswerStart, int Topic);

/// <summary>
/// Draws conversations from the corpus without end: a topic, one of its
/// questions in some wording, what may stand before it, the answer.
/// </summary>
internal sealed class Conversations(IReadOnlyList<Topic> topics, Wording wording, ChatPrompt prompt, TinyChatOptions options, int round)
{
    private readonly int _unknown = topics.ToList().FindIndex(topic => topic.Id == Topic.Unknown);
    private readonly Random _random = new(options.Seed + round);
    private readonly int[][] _answers = [.. topics.Select(topic => prompt.Tokenizer.Encode(topic.Answers[0]).Append(prompt.End).ToArray())];
    private readonly Queue<int>[] _questions = [.. topics.Select(_ => new Queue<int>())];
    private readonly Queue<int> _topics = new();

    public Conversation Next()
    {
        var topic = _unknown >= 0 && _random.NextDouble() < options.OffTopic ? _unknown : NextTopic();
        var question = wording.Vary(
            topic != _unknown && _random.NextDouble() < options.Rounds[round].AnswerWords
                ? SomeWords(topics[topic].Answers[0])
                : NextQuestion(topic), _random);
        var system = _random.NextDouble() < options.SystemMessages ? wording.System(_random) : null;
        var earlier = new List<(string, string)>();
        while (_random.NextDouble() < options.EarlierTurns)
        {
            var other = topics[_random.Next(topics.Count)];
            earlier.Add((wording.Vary(other.Questions[_random.Next(other.Questions.Count)], _random), other.Answers[0]));
        }

        var tokens = prompt.Encode(system, earlier, question);
        var answer = _random.NextDouble() < options.Rounds[round].WholeAnswers
            ? _answers[topic]
            : _answers[topic].Take(options.FirstTokens);
        return new Conversation([.. tokens.Concat(answer).Take(options.Shape.Context)], tokens.Count, topic);
    }

    /// <summary>
    /// The topic's next question, or what two of its questions have in common:
    /// the beginning of one with the end of another, or words of both.
    /// </summary>
    private string NextQuestion(int topic)
    {
        var question = topics[topic].Questions[NextOf(_questions[topic], topics[topic].Questions.Count)];
        if (_random.NextDouble() >= options.MixedQuestions)
        {
            return question;
        }

        string[] words = question.Split(' '), others = topics[topic].Questions[_random.Next(topics[topic].Questions.Count)].Split(' ');
        if (_random.Next(3) > 0)
        {
            return string.Join(' ', [.. words.Take((words.Length + 1) / 2), .. others.Skip(others.Length / 2)]);
        }

        string[] both = [.. words.Union(others).Where(word => !wording.IsSmall(word))];
        _random.Shuffle(both);
        return both.Length < 2 ? question : string.Join(' ', both.Take(_random.Next(3, 8)));
    }

    /// <summary>Three to nine words that follow each other.</summary>
    private string SomeWords(string answer)
    {
        var words = answer.Split(' ');
        var count = Math.Min(_random.Next(3, 10), words.Length);
        return string.Join(' ', words.Skip(_random.Next(words.Length - count + 1)).Take(count)).Trim(',', ';', ':', '.');
    }

    private int NextTopic()
    {
        int topic;
        do
        {
            topic = NextOf(_topics, topics.Count);
        }
        while (topic == _unknown);

        return topic;
    }

    /// <summary>Numbers below <paramref name="count"/> in random order, each once before any comes again.</summary>
    private int NextOf(Queue<int> rest, int count)
    {
        if (rest.Count == 0)
        {
            var order = Enumerable.Range(0, count).ToArray();
            _random.Shuffle(order);
            foreach (var each in order)
            {
                rest.Enqueue(each);
            }
        }

        return rest.Dequeue();
    }
}
