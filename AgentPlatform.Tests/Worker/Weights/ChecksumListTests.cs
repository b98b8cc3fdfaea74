using AgentPlatform.Worker.Weights;

namespace AgentPlatform.Tests.Worker.Weights;

public sealed class ChecksumListTests
{
    private const string Digest = "6ae8a75555209fd6c44157c0aed8016e763ff435a19cf186f76863140143ff72";

    [Fact]
    public void Parse_WhatSha256sumWrites_GivesTheFilesInOrder()
    {
        var files = ChecksumList.Parse(
            $"{Digest}  config.json\n{Digest.ToUpperInvariant()} *onnx/model.onnx\r\n\n{Digest}  ./a file.txt\n");
        Assert.Equal([new("config.json", Digest), new("onnx/model.onnx", Digest), new("a file.txt", Digest)], files);
    }

    [Theory]
    [InlineData("", "no file")]
    [InlineData("<html>", "<html>")]
    [InlineData($"{Digest} config.json", "config.json")]
    [InlineData($"{Digest}  ../../etc/passwd", "../../etc/passwd")]
    [InlineData($"{Digest}  /etc/passwd", "/etc/passwd")]
    [InlineData($"{Digest}  a//b", "a//b")]
    [InlineData($"{Digest}  a\\b", "a\\b")]
    [InlineData($"{Digest}  a\n{Digest}  a", "twice")]
    public void Parse_AnythingElse_SaysWhatIsWrong(string text, string named)
    {
        var e = Assert.Throws<FormatException>(() => ChecksumList.Parse(text));
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
    }
}
