using System.Diagnostics;
using System.Text.Json;
using AgentPlatform.Training.Decoder;
using AgentPlatform.Training.TinyChat;
using AgentPlatform.Training.Tokens;

namespace AgentPlatform.Trainer.TinyChat;

/// <summary>
/// Trains the <c>tiny-chat</c> model, writes its folder, and measures it on the held-out questions from the written file.
/// </summary>
internal sealed class TinyChatTraining
{
    // One in so many of a topic's questions is not trained on, from the one with this index on: settings are chosen by those.
    private const int DevelopmentEvery = 12, DevelopmentFirst = 7;
    private const int ReportEvery = 1000;
    private const int MaxAnswerTokens = 160;

    private readonly TinyChatOptions _options = new();
    private readonly List<Topic> _topics;
    private readonly Wording _wording;

    private TinyChatTraining(List<Topic> topics, Wording wording) => (_topics, _wording) = (topics, wording);

    /// <summary>
    /// Trains on <c>folder/data/train-*.jsonl</c>, writes into <paramref name="folder"/> and measures on <c>heldout-*.jsonl</c>; or
    /// neither writes nor asks the held-out questions, only says what it answers to questions for development. Returns the exit code.
    /// </summary>
    public static int Run(string folder, bool validateOnly)
    {
        var data = Path.Combine(folder, "data");
        if (!Directory.Exists(data))
        {
            Console.Error.WriteLine(
                $"There is no folder {data}; run from the root of the repository, or name the model's folder with --folder.");
            return 1;
        }

        try
        {
            var topics = Topic.Read(data);
            var training = new TinyChatTraining(topics, Wording.Read(Path.Combine(data, "wording.txt")));
            if (validateOnly)
            {
                training.Train(folder: null);
            }
            else
            {
                training.Run(folder, Topic.ReadHeldOut(data, topics));
            }

            return 0;
        }
        catch (InvalidDataException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
    }

    private void Run(string folder, List<(string Topic, string Question)> heldOut)
    {
        var prompt = Train(folder);
        var answers = Answer(File.ReadAllBytes(Path.Combine(folder, "model.onnx")), prompt, heldOut, MaxAnswerTokens);
        var metrics = TinyChatMetrics.Of(_options.Shape.Parameters, _topics, answers);
        File.WriteAllText(
            Path.Combine(folder, "metrics.json"), JsonSerializer.Serialize(metrics, TinyChatJson.Default.TinyChatMetrics) + "\n");
        metrics.Print();
    }

    /// <summary>
    /// Trains without the questions that are for choosing settings, and
    /// prints what is answered to those. Writes only if there is a folder.
    /// </summary>
    private ChatPrompt Train(string? folder)
    {
        var learnt = _topics.ConvertAll(topic =>
            topic with { Questions = [.. topic.Questions.Where((_, index) => index % DevelopmentEvery != DevelopmentFirst)] });
        var development = _topics.Zip(learnt).SelectMany(pair =>
            pair.First.Questions.Except(pair.Second.Questions).Select(question => (pair.First.Id, question))).ToList();
        var vocabulary = BytePairTrainer.Train(Texts(learnt), _options.Vocabulary);
        var prompt = new ChatPrompt(vocabulary);
        var weights = Train(learnt, prompt, (step, weights) =>
        {
            if (step % ReportEvery == 0)
            {
                var answers = Answer(DecoderOnnx.Write(_options.Shape, weights()), prompt, development, MaxAnswerTokens);
                Console.WriteLine(
                    $"  {Share.Of(answers, answer => answer.IsRight).Value:P1} of the questions for development are answered with the "
                    + "right topic");
            }
        });
        if (folder is not null)
        {
            new TinyChatFiles(_options.Shape, vocabulary, weights).Write(folder);
        }

        var last = Answer(DecoderOnnx.Write(_options.Shape, weights), prompt, development, MaxAnswerTokens);
        foreach (var answer in last.Where(answer => !answer.IsRight))
        {
            Console.WriteLine($"  {answer.Question} ({answer.Topic}): {answer.Answer} ({answer.Said})");
        }

        Console.WriteLine("Questions for development, by which settings are chosen:");
        TinyChatMetrics.Of(_options.Shape.Parameters, learnt, last).Print();
        return prompt;
    }

    private DecoderWeights Train(List<Topic> topics, ChatPrompt prompt, Action<int, Func<DecoderWeights>> judge)
    {
        var watch = Stopwatch.StartNew();
        DecoderWeights? weights = null;
        for (var round = 0; round < _options.Rounds.Count; round++)
        {
            var conversations = new Conversations(topics, _wording, prompt, _options, round);
            weights = new DecoderTraining(_options, prompt.Padding, topics.Count).Train(
                round, weights?.Rounded(), conversations.Next, (step, loss, soFar) =>
            {
                Console.WriteLine(
                    $"Round {round + 1}, step {step} of {_options.Rounds[round].Steps}, loss {loss:F3}, {watch.Elapsed.TotalSeconds:F0} s");
                judge(step, soFar);
            });
        }

        return weights!;
    }

    private List<JudgedAnswer> Answer(byte[] model, ChatPrompt prompt, List<(string Topic, string Question)> questions, int maxTokens)
    {
        using var decoder = new GreedyDecoder(model, _options.Shape, prompt.End);
        var judge = new AnswerJudge(_topics);
        return [.. decoder.Continue(questions.ConvertAll(each => prompt.Encode(system: null, earlier: [], each.Question)), maxTokens)
            .Zip(questions, (tokens, each) =>
            {
                var answer = prompt.Tokenizer.Decode(tokens);
                return new JudgedAnswer(each.Topic, each.Question, answer, judge.TopicOf(answer));
            })];
    }

    /// <summary>What the vocabulary is made for; questions as the model meets them, after a space and often in lower case.</summary>
    private static IEnumerable<string> Texts(IEnumerable<Topic> topics) =>
        topics.SelectMany(topic =>
            topic.Answers.Concat(topic.Questions.SelectMany(question => (string[])[$" {question}", $" {question.ToLowerInvariant()}"])));
}
