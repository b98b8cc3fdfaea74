using AgentPlatform.Training.TinyChat;

namespace AgentPlatform.Tests.Training.TinyChat;

public class WordingTests
{
    private static readonly Wording _shipped = Wording.Read(Path.Combine(Repository.Root, "models", "tiny-chat", "data", "wording.txt"));

    [Fact]
    public void Vary_WithTheSameSeed_SaysTheSame() => Assert.Equal(Variants(seed: 3), Variants(seed: 3));

    [Fact]
    public void Vary_SaysAQuestionInManyWays_AndNeverNothing()
    {
        var variants = Variants(seed: 4);

        Assert.True(variants.Distinct().Count() > variants.Count * 0.8);
        Assert.All(variants, variant => Assert.NotEmpty(variant.Trim()));
    }

    private static List<string> Variants(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 200).Select(_ => _shipped.Vary("How do I add a GPU pool to the platform?", random))];
    }
}
