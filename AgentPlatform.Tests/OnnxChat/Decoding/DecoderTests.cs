using AgentPlatform.OnnxChat.Decoding;
using AgentPlatform.Testing.OnnxChat;
using AgentPlatform.Tests.Training.Decoder;

namespace AgentPlatform.Tests.OnnxChat.Decoding;

public sealed class DecoderTests : IDisposable
{
    private readonly RandomChatModel _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Run_ARowInBatchesOfAnySize_HasTheSameLogitsBitForBit(int threads)
    {
        using var decoder = Open(threads);
        var present = new PresentMemory(decoder.Layout);
        var prompts = Enumerable.Range(0, 16).Select(index => RunningModel.Prompt(index, 2 + (index * 3))).ToList();
        var alone = prompts.ConvertAll(prompt => Steps(decoder, present, [prompt])[0]);
        for (var size = 2; size <= prompts.Count; size++)
        {
            var together = Steps(decoder, present, prompts[..size]);
            for (var row = 0; row < size; row++)
            {
                Assert.Equal(alone[row], together[row]);
            }
        }
    }

    [Fact]
    public void Run_StepByStep_HasTheLogitsOfTheDefinition()
    {
        using var decoder = Open(threads: 1);
        var present = new PresentMemory(decoder.Layout);
        var tokens = RunningModel.Prompt(3, 12);
        var expected = new ReferenceDecoder(_files.Shape, _files.Weights).Logits(tokens);
        using var group = new CacheGroup(decoder.Layout, slots: 64, mostRows: 4);
        Prefill(decoder, group, tokens[..2], out var logits);
        Close(expected[1], logits);
        for (var place = 2; place < tokens.Length; place++)
        {
            group.Run(decoder, [tokens[place]], present);
            group.ReadLogits(decoder, 0, logits);
            group.Keep(0, present);
            Close(expected[place], logits);
        }
    }

    [Fact]
    public void Read_InParts_HasTheLogitsOfTheDefinition()
    {
        using var decoder = Open(threads: 1);
        var tokens = RunningModel.Prompt(3, 20);
        var logits = new float[decoder.Layout.Vocabulary];
        using var first = decoder.Read(tokens.AsSpan(0, 13), 0, null, default);
        using var second = decoder.Read(tokens.AsSpan(13), 13, [.. first.Skip(1)], logits);
        Close(new ReferenceDecoder(_files.Shape, _files.Weights).Logits(tokens)[^1], logits);
    }

    [Fact]
    public void Remove_ARow_LeavesTheOthersAsTheyWere()
    {
        using var decoder = Open(threads: 1);
        var present = new PresentMemory(decoder.Layout);
        var prompts = Enumerable.Range(0, 5).Select(index => RunningModel.Prompt(index, 4 + index)).ToList();
        var expected = prompts.ConvertAll(prompt => Steps(decoder, present, [prompt])[0]);
        using var group = new CacheGroup(decoder.Layout, slots: 64, mostRows: 8);
        prompts.ForEach(prompt => Prefill(decoder, group, prompt, out _));
        group.Remove(1);
        group.Remove(0);

        // The last row took the place of the first that was removed, and then of the second.
        Assert.Equal(3, group.Rows);
        int[] rows = [3, 4, 2];
        var found = Continue(decoder, present, group, [.. rows.Select(row => prompts[row][0])]);
        for (var row = 0; row < rows.Length; row++)
        {
            Assert.Equal(expected[rows[row]], found[row]);
        }
    }

    [Fact]
    public void Open_ReadsTheLayoutFromTheGraph()
    {
        using var decoder = Open(threads: 1);
        Assert.Equal(
            (2, 2, 8, _files.Shape.Vocabulary, true),
            (
                decoder.Layout.Layers, decoder.Layout.Heads, decoder.Layout.HeadSize, decoder.Layout.Vocabulary,
                decoder.Layout.TakesPositions));
    }

    private Decoder Open(int threads) => Decoder.Open(_files.File("model.onnx"), path => Graphs.Open(path, threads), vocabulary: null);

    /// <summary>Logits of some steps of each prompt, all in one group; each step appends the prompt's first token.</summary>
    private static List<float[]> Steps(Decoder decoder, PresentMemory present, IReadOnlyList<int[]> prompts)
    {
        using var group = new CacheGroup(decoder.Layout, slots: 64, mostRows: 16);
        foreach (var prompt in prompts)
        {
            Prefill(decoder, group, prompt, out _);
        }

        return Continue(decoder, present, group, [.. prompts.Select(prompt => prompt[0])]);
    }

    private static List<float[]> Continue(Decoder decoder, PresentMemory present, CacheGroup group, int[] tokens)
    {
        var found = tokens.Select(_ => new List<float>()).ToList();
        var logits = new float[decoder.Layout.Vocabulary];
        for (var step = 0; step < 3; step++)
        {
            group.Run(decoder, tokens, present);
            for (var row = 0; row < tokens.Length; row++)
            {
                group.ReadLogits(decoder, row, logits);
                found[row].AddRange(logits);
                group.Keep(row, present);
            }
        }

        return found.ConvertAll(row => row.ToArray());
    }

    private static void Prefill(Decoder decoder, CacheGroup group, int[] prompt, out float[] logits)
    {
        logits = new float[decoder.Layout.Vocabulary];
        using var outputs = decoder.Read(prompt, 0, null, logits);
        group.Add(new CacheSource((tensor, head, length, target) => outputs[1 + tensor].GetTensorMutableRawData()
            .Slice(head * prompt.Length * decoder.Layout.HeadBytes, length * decoder.Layout.HeadBytes).CopyTo(target)), prompt.Length);
    }

    private static void Close(double[] expected, float[] logits)
    {
        for (var token = 0; token < logits.Length; token++)
        {
            Assert.Equal(expected[token], logits[token], tolerance: 1e-3);
        }
    }
}
