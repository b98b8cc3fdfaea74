using System.Text.Json.Nodes;
using AgentPlatform.OnnxChat.Model;
using AgentPlatform.Tests.OnnxChat;
using AgentPlatform.Training.Decoder;
using AgentPlatform.Training.TinyChat;
using AgentPlatform.Training.Tokens;

namespace AgentPlatform.Tests.Training.TinyChat;

/// <summary>The shipped files, read as they are, and run in ONNX Runtime without the worker's engine.</summary>
public class TinyChatModelTests
{
    private const int MaxAnswerTokens = 160;

    private static readonly string _folder = Path.Combine(Repository.Root, "models", "tiny-chat");

    private static readonly BytePairVocabulary _vocabulary = ReadVocabulary();
    private static readonly ChatPrompt _prompt = new(_vocabulary);
    private static readonly List<Topic> _topics = Topic.Read(Path.Combine(_folder, "data"));

    [Fact]
    public void Model_OnHeldOutQuestions_AnswersTheTopicAsOftenAsReported()
    {
        var metrics = Json("metrics.json");
        var heldOut = Topic.ReadHeldOut(Path.Combine(_folder, "data"), _topics);
        var some = heldOut.Where((each, index) => index % 6 == 0 && each.Topic != Topic.Unknown).ToList();

        var judge = new AnswerJudge(_topics);
        var right = Answers(some.ConvertAll(each => _prompt.Encode(system: null, earlier: [], each.Question)))
            .Zip(some, (answer, each) => judge.TopicOf(answer) == each.Topic).Count(isRight => isRight);

        Assert.Equal(metrics["heldOut"]!["questions"]!.GetValue<int>(), heldOut.Count(each => each.Topic != Topic.Unknown));
        Assert.InRange(metrics["heldOut"]!["value"]!.GetValue<double>(), 0.8, 1);
        Assert.InRange(right / (double)some.Count, 0.8, 1);
    }

    [Fact]
    public void Model_WithASystemMessageAndAnEarlierTurn_StillAnswersTheLastQuestion()
    {
        var (hello, rabbit) = (_topics.Find(topic => topic.Id == "greeting")!, _topics.Find(topic => topic.Id == "why-rabbitmq")!);

        var answers = Answers(
        [
            _prompt.Encode("You are a helpful assistant.", [], "Why do you use RabbitMQ and not Kafka?"),
            _prompt.Encode(null, [("hello", hello.Answers[0])], "Why do you use RabbitMQ and not Kafka?"),
        ]);

        Assert.All(answers, answer => Assert.Equal(rabbit.Id, new AnswerJudge(_topics).TopicOf(answer)));
    }

    [Fact]
    public void Engine_MakesTheTokensOfAConversationThatTheTrainerMakes()
    {
        const string System = "You are a helpful assistant. ", Question = " how do I   start it?\n\tIt's 2026 – naïve 🙂 ";
        var model = ChatModel.Load(_folder, Graphs.Open);
        using var decoder = model.Decoder;
        foreach (var topic in _topics)
        {
            object?[] messages =
            [
                Message("system", System), Message("user", topic.Questions[0]), Message("assistant", topic.Answers[0]),
                Message("user", Question),
            ];

            Assert.Equal(
                _prompt.Encode(System, [(topic.Questions[0], topic.Answers[0])], Question),
                model.Template.Encode(messages, continues: false, DateTimeOffset.UnixEpoch, most: 512, CancellationToken.None));
        }

        static OrderedDictionary<string, object?> Message(string role, string content) => new() { ["role"] = role, ["content"] = content };
    }

    [Fact]
    public void Files_AreSmall() =>
        Assert.All(Directory.GetFiles(_folder), file => Assert.InRange(new FileInfo(file).Length, 1, 12_000_000));

    [Fact]
    public void Files_SayThatItIsADemonstrationModel() =>
        Assert.Contains(
            "Demonstration model", Json("config.json")["agentplatform"]!["caveat"]!.GetValue<string>(), StringComparison.Ordinal);

    private static List<string> Answers(List<List<int>> prompts)
    {
        using var decoder = new GreedyDecoder(File.ReadAllBytes(Path.Combine(_folder, "model.onnx")), Shape(), _prompt.End);
        return decoder.Continue(prompts, MaxAnswerTokens).ConvertAll(_prompt.Tokenizer.Decode);
    }

    private static DecoderShape Shape()
    {
        var config = Json("config.json");
        return new(
            Size("vocab_size"), Size("num_hidden_layers"), Size("hidden_size"), Size("num_attention_heads"), Size("num_key_value_heads"),
            Size("head_dim"),
            Size("intermediate_size"), Size("max_position_embeddings"));

        int Size(string name) => config[name]!.GetValue<int>();
    }

    private static BytePairVocabulary ReadVocabulary()
    {
        var model = Json("tokenizer.json")["model"]!;
        var vocabulary = new BytePairVocabulary(
            [.. model["merges"]!.AsArray().Select(merge => merge!.GetValue<string>().Split(' ')).Select(pair => (pair[0], pair[1]))]);
        Assert.All(model["vocab"]!.AsObject(), token => Assert.Equal(vocabulary.Tokens[token.Value!.GetValue<int>()], token.Key));
        return vocabulary;
    }

    private static JsonNode Json(string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, file)))!;
}
