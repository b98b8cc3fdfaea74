namespace AgentPlatform.OnnxChat.Tokens;

/// <summary>
/// The characters that stand for bytes in the vocabulary of a byte-level tokenizer (GPT-2's table,
/// which the files of Hugging Face and llama.cpp use): a byte that is a printable character of
/// Latin-1 stands for itself, the others follow each other from U+0100 on (so a space is Ġ).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] _characters = Make();
    private static readonly Dictionary<char, byte> _bytes = _characters.Index().ToDictionary(each => each.Item, each => (byte)each.Index);

    /// <summary>The character of each byte, by its value.</summary>
    public static ReadOnlySpan<char> Characters => _characters;

    /// <summary>The bytes that a token stands for; null if it has a character that is none of these.</summary>
    public static byte[]? Decode(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            if (!_bytes.TryGetValue(token[i], out bytes[i]))
            {
                return null;
            }
        }

        return bytes;
    }

    private static char[] Make()
    {
        var characters = new char[256];
        var next = 0x100;
        for (var value = 0; value < 256; value++)
        {
            characters[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? (char)value : (char)next++;
        }

        return characters;
    }
}
