namespace AgentPlatform.Worker.Engines.OnnxChat.Tokens;

/// <summary>
/// The characters that stand for bytes in the vocabulary of a byte-level tokenizer (GPT-2's table): a byte that is a printable character of
/// Latin-1 stands for itself, the others follow each other from U+0100 on.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly Dictionary<char, byte> _bytes = [];

    static ByteAlphabet()
    {
        var others = 0;
        for (var value = 0; value < 256; value++)
        {
            var printable = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF;
            _bytes[printable ? (char)value : (char)(0x100 + others++)] = (byte)value;
        }
    }

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
}
