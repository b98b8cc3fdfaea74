using AgentPlatform.OnnxChat.Sampling;

namespace AgentPlatform.Tests.OnnxChat.Sampling;

public sealed class StopTextTests
{
    [Theory]
    [InlineData("END", "one |two |EN|D three", "one |two ", true)]
    [InlineData("END", "one E|N|X|EN", "one |ENX|EN", false)]
    [InlineData("aab", "a|a|a|b", "a", true)]
    [InlineData("abab", "xab|ab", "x", true)]
    [InlineData("\n\n", "a\n|b\n|\nc", "a|\nb", true)]
    [InlineData("B", "aBc", "a", true)]
    [InlineData("", "a|b", "a|b", false)]
    [InlineData("c,bc", "ab|c", "a", true)]
    [InlineData("😀", "a😁|😀", "a😁", true)]
    public void Add_TextInPieces_GivesNothingOfAStopString(string stops, string pieces, string given, bool isStopped)
    {
        var text = new StopText(stops.Split(',', StringSplitOptions.RemoveEmptyEntries));
        List<string> sent = [];
        foreach (var piece in pieces.Split('|'))
        {
            sent.Add(text.Add(piece));
        }

        sent.Add(text.End());
        Assert.Equal(given, string.Join('|', sent.Where(piece => piece.Length > 0)));
        Assert.Equal(isStopped, text.IsStopped);
        Assert.Equal("", isStopped ? text.Add("more") + text.End() : "");
    }
}
