using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;

namespace AgentPlatform.Tests.Inference.Chat;

public sealed class TokenUsageTests
{
    [Theory]
    [InlineData(ReplyKind.End, """{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}""")]
    [InlineData(ReplyKind.End, """{"details":{"completion_tokens":9},"completion_tokens":5,"prompt_tokens":3,"x":[1]}""")]
    [InlineData(ReplyKind.Result, """{"choices":[{"usage":1}],"usage":{"prompt_tokens":3,"completion_tokens":5},"x":1}""")]
    public void Read_WhereTheAnswerSays_IsTheTokens(ReplyKind kind, string payload) =>
        Assert.Equal(new TokenUsage(3, 5), Read(kind, payload));

    [Theory]
    [InlineData(ReplyKind.End, "")]
    [InlineData(ReplyKind.End, "{}")]
    [InlineData(ReplyKind.End, "null")]
    [InlineData(ReplyKind.End, """{"prompt_tokens":"3","completion_tokens":5}""")]
    [InlineData(ReplyKind.End, """{"prompt_tokens":""")]
    [InlineData(ReplyKind.Result, """{"sentiment":"Positive","confidence":0.9}""")]
    [InlineData(ReplyKind.Result, """{"usage":null}""")]
    public void Read_WhereTheAnswerDoesNotSay_IsNull(ReplyKind kind, string payload) => Assert.Null(Read(kind, payload));

    private static TokenUsage? Read(ReplyKind kind, string payload) =>
        TokenUsage.Read(new ReplyPart(kind, Encoding.UTF8.GetBytes(payload)));
}
