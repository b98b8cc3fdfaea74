using System.Globalization;
using AgentPlatform.Benchmarks.Load;
using AgentPlatform.OnnxChat.Model;
using AgentPlatform.OnnxChat.Scheduling;
using AgentPlatform.Testing.OnnxChat;
using AgentPlatform.Training.Decoder;
using AgentPlatform.Worker.Engines.Onnx;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Benchmarks.Engines;

/// <summary>Tokens per second of onnx-chat by how many answers run at once, on a decoder of random weights and tiny-chat's shape.</summary>
internal static class ChatBatching
{
    private const int PromptTokens = 32;
    private const int AnswerTokens = 128;

    // Of models/tiny-chat; the vocabulary that goes with these weights is smaller, which costs nothing.
    private static readonly DecoderShape _shape = new(Vocabulary: 2048, Layers: 4, Width: 192, Heads: 6, KeyValueHeads: 2, HeadSize: 32, Hidden: 576, Context: 512);

    public static async Task RunAsync(TimeSpan measure, CancellationToken cancellationToken)
    {
        Report.Heading(
            $"onnx-chat: answers of {AnswerTokens} tokens to prompts of {PromptTokens}, {_shape.Parameters / 1e6:0.0} million weights", "1 answer at a time");
        using var files = new RandomChatModel(_shape, seed: 1);
        foreach (var threads in Environment.ProcessorCount > 1 ? (int[])[1, Environment.ProcessorCount] : [1])
        {
            var model = ChatModel.Load(files.Folder, path => OnnxSession.Open(path, new OnnxOptions(), threads));
            using var loop = new ChatLoop(model.Decoder, rows: 16, static _ => { }, NullLogger.Instance);
            var alone = 0.0;
            foreach (var answers in (int[])[1, 2, 4, 8, 16])
            {
                var busy = Environment.CpuUsage.TotalTime;
                var allocated = GC.GetTotalAllocatedBytes();
                var load = await LoadResult.MeasureAsync(answers, measure, (caller, token) => AnswerAsync(model, loop, caller, token), cancellationToken);
                var seconds = (Environment.CpuUsage.TotalTime - busy).TotalSeconds;
                var tokens = (double)load.Requests * AnswerTokens;
                var rate = load.Rate * AnswerTokens;
                alone = answers == 1 ? rate : alone;
                Report.Line(
                    $"{answers} at once, {threads} threads",
                    string.Create(CultureInfo.InvariantCulture, $"{rate:N0} tokens/s, {rate / answers:N0} per answer, {tokens / seconds:N0} per second of a processor, {(GC.GetTotalAllocatedBytes() - allocated) / tokens:N0} bytes allocated per token"),
                    rate / alone);
            }
        }
    }

    private static async Task AnswerAsync(ChatModel model, ChatLoop loop, int caller, CancellationToken cancellationToken)
    {
        var prompt = Enumerable.Range(0, PromptTokens).Select(index => (caller + (index * 31)) % 256).ToList();
        var answer = new ChatAnswer(prompt, new ChatSettings { MaxTokens = AnswerTokens }, model.Tokenizer);
        loop.Submit(answer);
        await foreach (var piece in answer.Pieces.ReadAllAsync(cancellationToken))
        {
        }
    }
}
