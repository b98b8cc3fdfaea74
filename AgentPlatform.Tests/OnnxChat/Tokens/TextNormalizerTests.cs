using System.Text;
using AgentPlatform.OnnxChat.Tokens;

namespace AgentPlatform.Tests.OnnxChat.Tokens;

public sealed class TextNormalizerTests
{
    // Letters, marks that combine, Korean in parts, width variants, beyond the basic plane.
    private static readonly string[] _parts =
    [
        "a", "e\u0301", "o\u0323\u0302", " ", "\u1112\u1161\u11AB", "\uD55C", "\uFF76\uFF9E", "か\u3099", "世", "\uD835\uDC00", "\u0E33", "ﬁ",
        "\u0915\u093C",
    ];

    [Theory]
    [InlineData(NormalizationForm.FormC)]
    [InlineData(NormalizationForm.FormD)]
    [InlineData(NormalizationForm.FormKC)]
    [InlineData(NormalizationForm.FormKD)]
    public void Normalize_LongTexts_IsWhatTheFrameworkGives(NormalizationForm form)
    {
        var random = new Random(1);
        for (var round = 0; round < 50; round++)
        {
            var text = string.Concat(Enumerable.Range(0, 2_000).Select(_ => _parts[random.Next(_parts.Length)]));
            Assert.Equal(text.Normalize(form), new TextNormalizer(form).Normalize(text, CancellationToken.None));
        }
    }

    [Fact]
    public void Normalize_ATextThatShrinks_ShrinksNoFurtherThanItSays()
    {
        foreach (var part in _parts)
        {
            var normalized = new TextNormalizer(NormalizationForm.FormKC).Normalize(part, CancellationToken.None);
            Assert.InRange(Encoding.UTF8.GetByteCount(part), 1, TextNormalizer.MostShrinking * Encoding.UTF8.GetByteCount(normalized));
        }
    }

    [Fact]
    public void Normalize_MarksWithoutAnEnd_ArePutInOrderSliceBySliceUntilCancelled()
    {
        // Each pair is the wrong way round, and in one run that would be the square of two million.
        var marks = new StringBuilder().Insert(0, "\u0301\u0316", 1_000_000).ToString();
        Assert.Equal(marks.Length, new TextNormalizer(NormalizationForm.FormC).Normalize(marks, CancellationToken.None).Length);
        Assert.Throws<OperationCanceledException>(
            () => new TextNormalizer(NormalizationForm.FormC).Normalize(marks, new CancellationToken(canceled: true)));
    }
}
