using System.Diagnostics;
using System.Text.Json;
using AgentPlatform.Training.Decoder;
using AgentPlatform.Training.Tokens;

namespace AgentPlatform.Training.TinyChat;

/// <summary>Trains the <c>tiny-chat</c> model, writes its folder, and measures it on the held-out questions from the written file.</summary>
internal sealed class TinyChatTraining
{
    // --validate holds one in so many of a topic's questions back, from the one with this index on.
    private const int HeldBackOfEach = 12, HeldBackFirst = 7;
    private const int ReportEvery = 500;
    private const int MaxAnswerTokens = 160;

    private readonly TinyChatOptions _options = new();
    private readonly List<Topic> _topics;
    private readonly Wording _wording;

    private TinyChatTraining(List<Topic> topics, Wording wording) => (_topics, _wording) = (topics, wording);

    /// <summary>
    /// Trains on <c>folder/data/train-*.jsonl</c>, writes into <paramref name="folder"/> and measures on <c>heldout-*.jsonl</c>; or only
    /// trains on a part and measures on the rest, which neither writes nor reads the held-out questions. Returns the exit code.
    /// </summary>
    public static int Run(string folder, bool validateOnly)
    {
        var data = Path.Combine(folder, "data");
        if (!Directory.Exists(data))
        {
            Console.Error.WriteLine($"There is no folder {data}; run from the root of the repository, or name the model's folder with --folder.");
            return 1;
        }

        try
        {
            var topics = Topic.Read(data);
            var training = new TinyChatTraining(topics, Wording.Read(Path.Combine(data, "wording.txt")));
            if (validateOnly)
            {
                training.Validate();
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
        var vocabulary = BytePairTrainer.Train(Texts(_topics), _options.Vocabulary);
        var prompt = new ChatPrompt(vocabulary);
        new TinyChatFiles(_options.Shape, vocabulary, Train(_topics, prompt, (_, _) => { })).Write(folder);
        var answers = Answer(File.ReadAllBytes(Path.Combine(folder, "model.onnx")), prompt, heldOut, MaxAnswerTokens);
        var metrics = TinyChatMetrics.Of(_options.Shape.Parameters, _topics, answers);
        File.WriteAllText(Path.Combine(folder, "metrics.json"), JsonSerializer.Serialize(metrics, TinyChatJson.Default.TinyChatMetrics) + "\n");
        metrics.Print();
    }

    private void Validate()
    {
        var kept = _topics.ConvertAll(topic => topic with { Questions = [.. topic.Questions.Where((_, index) => index % HeldBackOfEach != HeldBackFirst)] });
        var heldBack = _topics.SelectMany(topic => topic.Questions.Except(kept.Find(each => each.Id == topic.Id)!.Questions).Select(question => (topic.Id, question))).ToList();
        var prompt = new ChatPrompt(BytePairTrainer.Train(Texts(kept), _options.Vocabulary));
        Train(kept, prompt, (step, weights) =>
        {
            if (step == _options.Steps)
            {
                var answers = Answer(DecoderOnnx.Write(_options.Shape, weights()), prompt, heldBack, MaxAnswerTokens);
                foreach (var answer in answers.Where(answer => !answer.IsRight))
                {
                    Console.WriteLine($"{answer.Question} ({answer.Topic}): {answer.Answer} ({answer.Said})");
                }

                TinyChatMetrics.Of(_options.Shape.Parameters, kept, answers).Print();
            }
            else if (step % ReportEvery == 0)
            {
                // The first words show which answer it is going to be.
                var answers = Answer(DecoderOnnx.Write(_options.Shape, weights()), prompt, heldBack, _options.FirstTokens);
                Console.WriteLine($"  {Share.Of(answers, answer => answer.IsRight).Value:P1} of the questions that were held back begin right");
            }
        });
    }

    private DecoderWeights Train(List<Topic> topics, ChatPrompt prompt, Action<int, Func<DecoderWeights>> judge)
    {
        var watch = Stopwatch.StartNew();
        var conversations = new Conversations(topics, _wording, prompt, _options);
        return new DecoderTraining(_options, prompt.Padding, topics.Count).Train(conversations.Next, (step, loss, weights) =>
        {
            Console.WriteLine($"Step {step} of {_options.Steps}, loss {loss:F3}, {watch.Elapsed.TotalSeconds:F0} s");
            judge(step, weights);
        });
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
        topics.SelectMany(topic => topic.Answers.Concat(topic.Questions.SelectMany(question => (string[])[$" {question}", $" {question.ToLowerInvariant()}"])));
}
