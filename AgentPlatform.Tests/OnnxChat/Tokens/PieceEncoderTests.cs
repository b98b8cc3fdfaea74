using System.Text;
using System.Text.Json;
using AgentPlatform.OnnxChat.Tokens;
using Microsoft.ML.Tokenizers;

namespace AgentPlatform.Tests.OnnxChat.Tokens;

public sealed class PieceEncoderTests
{
    private const int Unlimited = int.MaxValue;

    // The tokenizer that tiny-chat was trained with: 256 bytes and what was joined of them.
    private static readonly TokenizerModel _model = Read();
    private static readonly Dictionary<string, int> _vocabulary = _model.Vocab.EnumerateObject()
        .ToDictionary(token => token.Name, token => token.Value.GetInt32());
    private static readonly (string Left, string Right)[] _merges = [.. _model.Merges.EnumerateArray().Select(Split)];
    private static readonly BytePairs _pairs = new(_vocabulary, _merges);

    [Fact]
    public void Add_ShortPiecesOfAnyText_GivesTheTokensOfMicrosoftsPackage()
    {
        var package = BpeTokenizer.Create(
            new BpeOptions(_vocabulary)
            {
                Merges = [.. _merges.Select(pair => $"{pair.Left} {pair.Right}")],
                ByteLevel = true,
                PreTokenizer = new WholePiece(),
            });
        var random = new Random(1);
        for (var round = 0; round < 3_000; round++)
        {
            var piece = RandomPiece(random);
            Assert.Equal(package.EncodeToIds(piece, considerNormalization: false), Encode(piece));
        }
    }

    [Theory]
    [InlineData("a")]
    [InlineData("ab")]
    [InlineData(" ")]
    [InlineData("queue")]
    [InlineData("世")]
    public void Add_ALongPiece_TakesWorkInProportion(string part)
    {
        var (small, large) = (StepsFor(1 << 12), StepsFor(1 << 16));
        Assert.InRange(large, 1, 20 * small);

        int StepsFor(int length)
        {
            var encoder = new PieceEncoder(_pairs, Unlimited, CancellationToken.None);
            Assert.True(encoder.Add(Repeat(part, length)));
            return encoder.Steps;
        }
    }

    [Fact]
    public void Add_APieceOfMoreTokensThanWanted_IsRefusedWithoutMakingThem()
    {
        var encoder = new PieceEncoder(_pairs, most: 100, CancellationToken.None);
        Assert.False(encoder.Add(Repeat("a", 1_000_000)));
        Assert.True(encoder.IsFull);
        Assert.Equal(0, encoder.Steps);
    }

    [Fact]
    public void Add_ExactlyAsManyTokensAsWanted_Fit()
    {
        var text = Repeat("the queue of a model and its workers", 900);
        var count = Encode(text).Count;
        Assert.True(new PieceEncoder(_pairs, count, CancellationToken.None).Add(text));
        Assert.False(new PieceEncoder(_pairs, count - 1, CancellationToken.None).Add(text));
    }

    [Fact]
    public void LeastTokens_OfAnyText_IsNeverMoreThanThereAre()
    {
        var random = new Random(2);
        for (var round = 0; round < 1_000; round++)
        {
            var piece = string.Concat(Enumerable.Range(0, 20).Select(_ => RandomPiece(random)));
            Assert.InRange(_pairs.LeastTokens(Encoding.UTF8.GetBytes(piece), long.MaxValue), 1, Encode(piece).Count);
        }
    }

    [Fact]
    public async Task Add_CancelledInTheMiddleOfAPiece_Ends()
    {
        using var cancel = new CancellationTokenSource();
        var encoder = new PieceEncoder(_pairs, Unlimited, cancel.Token);
        var piece = Repeat("ab", 4_000_000);
        var encoding = Task.Factory.StartNew(() => encoder.Add(piece), TaskCreationOptions.LongRunning);
        await Wait.UntilAsync(() => encoder.Steps > 0);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => encoding);
    }

    [Fact]
    public void New_MergesOfTokensThatDoNotExist_AreRefusedByName() =>
        Assert.Contains(
            "'ab'",
            Assert.Throws<NotSupportedException>(
                () => new BytePairs(new Dictionary<string, int> { ["a"] = 0, ["b"] = 1 }, [("a", "b")])).Message,
            StringComparison.Ordinal);

    private static List<int> Encode(string piece)
    {
        var encoder = new PieceEncoder(_pairs, Unlimited, CancellationToken.None);
        encoder.Add(piece);
        return encoder.Tokens;
    }

    private static string Repeat(string part, int length) =>
        new StringBuilder().Insert(0, part, (length / part.Length) + 1).ToString(0, length);

    // Of words that it knows, of letters that it may join, and of anything.
    private static string RandomPiece(Random random)
    {
        var piece = new StringBuilder();
        for (var parts = random.Next(1, 8); parts > 0; parts--)
        {
            piece.Append(random.Next(4) switch
            {
                0 => " queue",
                1 => new string((char)random.Next('a', 'f'), random.Next(1, 6)),
                2 =>
                    Encoding.UTF8.GetString(ByteAlphabet.Decode(_vocabulary.Keys.ElementAt(random.Next(_vocabulary.Count))) ?? [])
                        .Replace("\uFFFD", "", StringComparison.Ordinal),
                _ => new Rune(random.Next(0x20, 0xD7FF)).ToString(),
            });
        }

        return piece.Length > 0 ? piece.ToString() : "x";
    }

    private static TokenizerModel Read()
    {
        using var stream = File.OpenRead(Path.Combine(Repository.Root, "models/tiny-chat/tokenizer.json"));
        return JsonSerializer.Deserialize(stream, TokenizerJson.Default.TokenizerFile)!.Model;
    }

    private static (string, string) Split(JsonElement merge) => merge.ValueKind == JsonValueKind.Array
        ? (merge[0].GetString()!, merge[1].GetString()!)
        : (merge.GetString()!.Split(' ')[0], merge.GetString()!.Split(' ')[1]);

    private sealed class WholePiece : PreTokenizer
    {
        public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => [(0, text.Length)];

        public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => [(0, text.Length)];
    }
}
