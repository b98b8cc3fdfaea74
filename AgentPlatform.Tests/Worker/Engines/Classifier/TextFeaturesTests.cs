using AgentPlatform.Worker.Engines.Classifier;

namespace AgentPlatform.Tests.Worker.Engines.Classifier;

public class TextFeaturesTests
{
    private readonly TextFeatureOptions _options = new();

    [Fact]
    public void Encode_KnownText_GivesTheIdsThatModelsWereTrainedOn()
    {
        // A change of these numbers makes every shipped model useless: train it anew in the same commit.
        Assert.Equal([6977, 106, 29993, 22448, 7931], Encode("Good!").Take(5));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \t\r\n ")]
    [InlineData("\0")]
    [InlineData("\ud83d")]
    [InlineData("--- *** ~~~")]
    public void Encode_NothingToRead_StillGivesIdsInRange(string text)
    {
        var ids = Encode(text);

        Assert.NotEmpty(ids);
        Assert.All(ids, id => Assert.InRange(id, 1, _options.Buckets - 1));
    }

    [Fact]
    public void Encode_NegatedWord_HasOtherIdsThanThePlainWord()
    {
        var encoder = new TextFeatures(_options);
        var (plain, negated) = (encoder.WordIds("helpful", negated: false), encoder.WordIds("helpful", negated: true));

        Assert.Contains(plain.First(), Encode("they were helpful"));
        Assert.DoesNotContain(plain.First(), Encode("they were not helpful"));
        Assert.Contains(negated.First(), Encode("they weren’t helpful"));
    }

    [Theory]
    [InlineData("no. helpful people")]
    [InlineData("not cheap but helpful")]
    public void Encode_AfterPunctuationOrBut_IsNotNegated(string text) =>
        Assert.Contains(new TextFeatures(_options).WordIds("helpful", negated: false).First(), Encode(text));

    [Fact]
    public void Encode_MoreWordsThanAllowed_ReadsBeginningAndEnd()
    {
        var encoder = new TextFeatures(_options);
        var ids = Encode("first " + string.Concat(Enumerable.Repeat("middle ", 50_000)) + "last");

        Assert.Contains(encoder.WordIds("first", negated: false).First(), ids);
        Assert.Contains(encoder.WordIds("last", negated: false).First(), ids);
        Assert.True(ids.Length < _options.MaxWords * 20);
    }

    [Theory]
    [InlineData("LOVED it sooooo much :)", "loved <caps> it soo <long> much :)")]
    [InlineData("@ann see https://x.y/z, 10/10 🎉", "<user> see <url> 10/10 🎉")]
    [InlineData("Don’t…  wait 2500 ms!!", "don't ... wait <number> ms ! !")]
    [InlineData("#great exDirector", "great exdirector")]
    [InlineData("👩‍🚀😍❤️", "👩 🚀 😍 ❤")]
    public void Cut_Comment_GivesWordsAndSigns(string text, string words) => Assert.Equal(words, string.Join(' ', TextWords.Cut(text)));

    [Fact]
    public void Encode_AVeryLongText_IsThatOfItsBeginningAndItsEndForTheWorkOfTheseTwo()
    {
        var (beginning, end) = (Words("start", 200), Words("end", 200));
        var expected = Encode($"{beginning} {Words("middle", 200)} {end}");

        var text = $"{beginning} {Words("middle", 1_000_000)} {end}";
        var before = GC.GetAllocatedBytesForCurrentThread();
        var ids = Encode(text);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        Assert.Equal(expected, ids);

        static string Words(string word, int count) =>
            string.Join(' ', Enumerable.Range(0, count).Select(number => $"{word}{(char)('a' + (number % 26))}"));
    }

    private long[] Encode(string text) => new TextFeatures(_options).Encode(text);
}
