using System.Text;

namespace AgentPlatform.OnnxChat.Tokens;

/// <summary>
/// Makes the text of an answer from its tokens as they come. A character
/// whose bytes are spread over tokens comes with the last of them.
/// </summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class TextStream(ChatTokenizer tokenizer)
{
    // Bytes that are no character become U+FFFD, as the web's decoders do it.
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private char[] _characters = new char[32];

    /// <summary>The characters that are whole with this token; valid until the next call.</summary>
    public ReadOnlySpan<char> Add(int token) => tokenizer.IsSpecial(token) ? default : Decode(tokenizer.BytesOf(token), flush: false);

    /// <summary>What stands for the bytes that no further token will complete.</summary>
    public ReadOnlySpan<char> End() => Decode(default, flush: true);

    private ReadOnlySpan<char> Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        // At most one character for each byte, and for what is left of the one before.
        if (_characters.Length < bytes.Length + 4)
        {
            _characters = new char[bytes.Length + 4];
        }

        return _characters.AsSpan(0, _decoder.GetChars(bytes, _characters, flush));
    }
}
