using System.Text;
using AgentPlatform.OnnxChat.Tokens;
using AgentPlatform.Testing.OnnxChat;

namespace AgentPlatform.Tests.OnnxChat.Tokens;

public sealed class TokenizerReaderTests : IDisposable
{
    private readonly RandomChatModel _files = new(layers: 1);

    private ChatTokenizer Tokenizer => field ??= TokenizerReader.Read(_files.File("tokenizer.json"));

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("hello there, the hello of the")]
    [InlineData("  two  spaces \n\n\t and\r\nlines ")]
    [InlineData("Grüße, 世界! 😀👩‍👩‍👧 don't we'll 12345")]
    [InlineData("a\0b\u0001\u00AD\uFFFD")]
    public void Encode_AnyText_DecodesToItself(string text)
    {
        var tokens = Tokenizer.Encode(text);
        Assert.Equal(text, Encoding.UTF8.GetString([.. tokens.SelectMany(Tokenizer.BytesOf)]));
        Assert.All(tokens, token => Assert.False(Tokenizer.IsSpecial(token)));
    }

    [Fact]
    public void Encode_JoinsPairsInTheOrderOfTheMergesAndNeverOverAWordsEnd()
    {
        Assert.Equal(["hello", "Ġthe"], Names("hello the"));
        Assert.Equal(["hell", "Ġ", "o"], Names("hell o"));
    }

    [Fact]
    public void Encode_Marks_AreOneTokenEachUnlessSomebodyElseWroteThem()
    {
        var tokens = Tokenizer.Encode("<|im_start|>a<|im_end|>");
        Assert.Equal([true, false, true], tokens.Select(Tokenizer.IsSpecial));
        Assert.Equal(Tokenizer.Find("<|im_end|>"), tokens[^1]);

        var written = Tokenizer.Protect("x<|im_end|>y\uFFFEz");
        Assert.All(Tokenizer.Encode(written), token => Assert.False(Tokenizer.IsSpecial(token)));
        Assert.Equal("x<|im_end|>yz", Encoding.UTF8.GetString([.. Tokenizer.Encode(written).SelectMany(Tokenizer.BytesOf)]));
    }

    [Fact]
    public void Add_TokensOfACharacter_GiveItWithTheLastOne()
    {
        var stream = new TextStream(Tokenizer);
        var given = Tokenizer.Encode("a😀é<|im_end|>b").Select(token => stream.Add(token).ToString()).Append(stream.End().ToString());
        Assert.Equal(["a", "", "", "", "😀", "", "é", "", "b", ""], given);
    }

    [Fact]
    public void Add_BytesThatAreNoCharacter_GiveTheReplacementCharacter()
    {
        var stream = new TextStream(Tokenizer);
        var tokens = Tokenizer.Encode("😀");
        Assert.Equal("", string.Concat(stream.Add(tokens[0]), stream.Add(tokens[1])));
        Assert.Equal("\uFFFDa", stream.Add(Tokenizer.Encode("a")[0]).ToString());
        Assert.Equal("", stream.Add(tokens[0]).ToString());
        Assert.Equal("\uFFFD", stream.End().ToString());
    }

    [Theory]
    [InlineData(
        """{"type":"Sequence","pretokenizers":["""
            + """{"type":"Digits","individual_digits":true},{"type":"ByteLevel","add_prefix_space":false}]}""")]
    [InlineData(
        """{"type":"Sequence","pretokenizers":["""
            + """{"type":"Split","pattern":{"Regex":"\\p{N}{1,3}| ?\\p{L}+"},"behavior":"Isolated","invert":false},"""
            + """{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""")]
    public void Read_PreTokenizersThatAreMadeOfSteps_AreFollowed(string preTokenizer)
    {
        _files.Write("tokenizer.json", File.ReadAllText(_files.File("tokenizer.json")).Replace(
            """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""", preTokenizer,
            StringComparison.Ordinal));
        var tokens = Tokenizer.Encode("in 1234 the hello");
        Assert.Equal("in 1234 the hello", Encoding.UTF8.GetString([.. tokens.SelectMany(Tokenizer.BytesOf)]));
        Assert.Equal(["in", "Ġ", "1", "2", "3", "4", "Ġthe", "Ġ", "hello"], tokens.Select(Name));
    }

    [Theory]
    [InlineData("\"type\":\"BPE\"", "\"type\":\"Unigram\"", "Unigram")]
    [InlineData("\"pre_tokenizer\":{\"type\":\"ByteLevel\"", "\"pre_tokenizer\":{\"type\":\"Metaspace\"", "Metaspace")]
    [InlineData("\"normalizer\":null", "\"normalizer\":{\"type\":\"Prepend\"}", "Prepend")]
    [InlineData("\"add_prefix_space\":false", "\"add_prefix_space\":true", "add_prefix_space")]
    [InlineData("\"model\":", "\"modell\":", "model")]
    [InlineData("{", "[", "tokenizer.json")]
    public void Read_AnotherKind_IsRefusedByName(string find, string instead, string named)
    {
        _files.Write("tokenizer.json", File.ReadAllText(_files.File("tokenizer.json")).Replace(find, instead, StringComparison.Ordinal));
        var error = Assert.Throws<InvalidDataException>(() => TokenizerReader.Read(_files.File("tokenizer.json")));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.Contains(_files.File("tokenizer.json"), error.Message, StringComparison.Ordinal);
    }

    private string[] Names(string text) => [.. Tokenizer.Encode(text).Select(Name)];

    private string Name(int token) => Encoding.UTF8.GetString(Tokenizer.BytesOf(token)).Replace(' ', 'Ġ');
}
