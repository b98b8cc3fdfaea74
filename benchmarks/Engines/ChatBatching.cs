using AgentPlatform.OnnxChat.Model;
using AgentPlatform.OnnxChat.Scheduling;
using AgentPlatform.Testing.OnnxChat;
using AgentPlatform.Training.Decoder;
using AgentPlatform.Worker.Engines.Onnx;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Benchmarks.Engines;

/// <summary>
/// onnx-chat on a decoder of random weights and tiny-chat's shape, by how many answers run at once. The time is that of one token.
/// </summary>
/// <remarks>Public and not sealed, since BenchmarkDotNet derives from it.</remarks>
#pragma warning disable CA1001 // BenchmarkDotNet calls Unload.
public class ChatBatching
#pragma warning restore CA1001
{
    private const int PromptTokens = 32;
    private const int AnswerTokens = 128;

    // Of models/tiny-chat; the vocabulary that goes with these weights is smaller, which costs nothing.
    private static readonly DecoderShape _shape = new(
        Vocabulary: 2048, Layers: 4, Width: 192, Heads: 6, KeyValueHeads: 2, HeadSize: 32, Hidden: 576, Context: 512);

    private RandomChatModel _files = null!;
    private ChatModel _model = null!;
    private ChatLoop _loop = null!;

    /// <summary>The heading of its table.</summary>
    public static string Heading =>
        $"onnx-chat: answers of {AnswerTokens} tokens to prompts of {PromptTokens}, {_shape.Parameters / 1e6:0.0} million weights";

    public static IEnumerable<int> ThreadCounts => Environment.ProcessorCount > 1 ? [1, Environment.ProcessorCount] : [1];

    [ParamsSource(nameof(ThreadCounts))]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Load()
    {
        _files = new RandomChatModel(_shape, seed: 1);
        _model = ChatModel.Load(_files.Folder, path => OnnxSession.Open(path, new OnnxOptions(), Threads));
        _loop = new ChatLoop(_model.Decoder, rows: 16, static _ => { }, NullLogger.Instance);
    }

    [GlobalCleanup]
    public void Unload()
    {
        _loop.Dispose();
        _files.Dispose();
    }

    [Benchmark(Baseline = true, Description = "1 at once", OperationsPerInvoke = AnswerTokens)]
    public Task One() => AnswerAsync(1);

    [Benchmark(Description = "2 at once", OperationsPerInvoke = 2 * AnswerTokens)]
    public Task Two() => AnswerAsync(2);

    [Benchmark(Description = "4 at once", OperationsPerInvoke = 4 * AnswerTokens)]
    public Task Four() => AnswerAsync(4);

    [Benchmark(Description = "8 at once", OperationsPerInvoke = 8 * AnswerTokens)]
    public Task Eight() => AnswerAsync(8);

    [Benchmark(Description = "16 at once", OperationsPerInvoke = 16 * AnswerTokens)]
    public Task Sixteen() => AnswerAsync(16);

    private Task AnswerAsync(int answers) => Task.WhenAll(Enumerable.Range(0, answers).Select(async caller =>
    {
        var prompt = Enumerable.Range(0, PromptTokens).Select(index => (caller + (index * 31)) % 256).ToList();
        var answer = new ChatAnswer(prompt, new ChatSettings { MaxTokens = AnswerTokens }, _model.Tokenizer);
        _loop.Submit(answer);
        await foreach (var piece in answer.Pieces.ReadAllAsync())
        {
        }
    }));
}
