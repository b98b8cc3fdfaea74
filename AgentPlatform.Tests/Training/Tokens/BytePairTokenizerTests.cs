using AgentPlatform.Training.Tokens;

namespace AgentPlatform.Tests.Training.Tokens;

public class BytePairTokenizerTests
{
    private static readonly string[] _texts =
    [
        "the queue of the model", "the queues of the models", "queue the model", "the model's queue",
    ];

    [Theory]
    [InlineData("the model's queue")]
    [InlineData("")]
    [InlineData("  two  spaces\n\tand a tab ")]
    [InlineData("Grüße, 世界 👋🏽 <|im_end|>")]
    public void Decode_OfEncode_IsTheText(string text)
    {
        var tokenizer = new BytePairTokenizer(BytePairTrainer.Train(_texts, size: 280));

        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Fact]
    public void Train_MakesFrequentWordsTokens()
    {
        var vocabulary = BytePairTrainer.Train(_texts, size: 270);

        Assert.Equal(270, vocabulary.Tokens.Count);
        Assert.Single(new BytePairTokenizer(vocabulary).Encode(" queue"));
        Assert.Equal(vocabulary.Tokens.Count, vocabulary.Tokens.Distinct().Count());
    }

    [Fact]
    public void Train_WithoutFrequentPairsLeft_MakesFewerTokens() =>
        Assert.Equal(256 + 1 + BytePairVocabulary.Special.Count, BytePairTrainer.Train(["ab ab"], size: 1000).Tokens.Count);

    [Fact]
    public void Encode_OfASpecialTokensName_IsText()
    {
        var vocabulary = BytePairTrainer.Train(_texts, size: 280);

        Assert.DoesNotContain(
            vocabulary.IdOf(BytePairVocabulary.TurnEnd), new BytePairTokenizer(vocabulary).Encode(BytePairVocabulary.TurnEnd));
    }
}
