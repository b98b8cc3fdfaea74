using System.Text;
using AgentPlatform.Worker.Engines.Simulated;

namespace AgentPlatform.Tests.Worker.Engines.Simulated;

public sealed class SimulatedAnswerTests
{
    private const string Messages = """ "messages":[{"role":"user","content":"How deep is the lake?"}] """;

    [Fact]
    public void The_answer_says_that_it_is_simulated() =>
        Assert.StartsWith("This answer is simulated", Text(Compose($"{{{Messages}}}")), StringComparison.Ordinal);

    [Fact]
    public void The_same_request_has_the_same_answer() =>
        Assert.Equal(Text(Compose($"{{{Messages},\"seed\":7}}")), Text(Compose($"{{\"model\":\"x\",{Messages},\"seed\":7}}")));

    [Theory]
    [InlineData(""" "seed":2 """)]
    [InlineData(""" "seed":-1 """)]
    public void Another_seed_has_another_answer(string seed) =>
        Assert.NotEqual(Text(Compose($"{{{Messages},\"seed\":1}}")), Text(Compose($"{{{Messages},{seed}}}")));

    [Fact]
    public void Another_prompt_has_another_answer() =>
        Assert.NotEqual(
            Text(Compose($"{{{Messages}}}")), Text(Compose("""{"messages":[{"role":"user","content":"How deep is the lake!"}]}""")));

    [Fact]
    public void Choices_differ()
    {
        var answer = Compose($"{{{Messages},\"n\":3}}");
        Assert.Equal(3, answer.Choices.Select(choice => string.Concat(choice.Tokens)).Distinct().Count());
        Assert.Equal(30, answer.Usage.Output);
    }

    [Theory]
    [InlineData("", 10, "stop")]
    [InlineData(",\"max_tokens\":4", 4, "length")]
    [InlineData(",\"max_completion_tokens\":3,\"max_tokens\":8", 3, "length")]
    [InlineData(",\"max_tokens\":10", 10, "stop")]
    [InlineData(",\"max_tokens\":99", 10, "stop")]
    public void The_token_limit_ends_an_answer(string field, int tokens, string reason)
    {
        var choice = Compose($"{{{Messages}{field}}}").Choices[0];
        Assert.Equal((tokens, reason), (choice.Tokens.Count, choice.FinishReason));
    }

    [Theory]
    [InlineData("\"simulated\"", "This answer is ")]
    [InlineData("\"er is s\"", "This answ")]
    [InlineData("[\"simulated\",\"ans\"]", "This ")]
    [InlineData("\"This\"", "")]
    [InlineData("[\" answer\"]", "This")]
    public void A_stop_sequence_ends_the_answer_before_itself(string stop, string text)
    {
        var choice = Compose($"{{{Messages},\"max_tokens\":8,\"stop\":{stop}}}").Choices[0];
        Assert.Equal((text, "stop"), (string.Concat(choice.Tokens), choice.FinishReason));
        Assert.DoesNotContain("", choice.Tokens);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"nowhere\"")]
    public void A_stop_sequence_that_does_not_occur_changes_nothing(string stop) =>
        Assert.Equal(Text(Compose($"{{{Messages}}}")), Text(Compose($"{{{Messages},\"stop\":{stop}}}")));

    [Fact]
    public void The_prompt_is_counted_in_words() =>
        Assert.Equal(
            7,
            Compose(
                """{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"How deep is"},"""
                    + """{"type":"text","text":"it, ünd?"},{"type":"image_url"}]},{"role":"assistant","content":null}]}""").PromptTokens);

    private static SimulatedAnswer Compose(string body) => SimulatedAnswer.Compose(Encoding.UTF8.GetBytes(body), tokens: 10);

    private static string Text(SimulatedAnswer answer) => string.Concat(answer.Choices[0].Tokens);
}
