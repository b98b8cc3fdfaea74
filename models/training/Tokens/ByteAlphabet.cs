using System.Text;

namespace AgentPlatform.Training.Tokens;

/// <summary>
/// GPT-2's spelling of bytes as printable characters, which Hugging Face's and llama.cpp's files use: a printable byte is itself, and
/// the others are U+0100 and on, in order (so a space is Ġ).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = Make();
    private static readonly Dictionary<char, byte> Bytes = Characters.Index().ToDictionary(each => each.Item, each => (byte)each.Index);

    /// <summary>The 256 characters, those of printable bytes first: the order of their tokens.</summary>
    public static IEnumerable<string> InTokenOrder => Characters.Order().Select(character => character.ToString());

    public static string Spell(string text) => string.Concat(Encoding.UTF8.GetBytes(text).Select(value => Characters[value]));

    public static byte[] Read(string spelled) => [.. spelled.Select(character => Bytes[character])];

    private static char[] Make()
    {
        var characters = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            characters[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? (char)value : (char)next++;
        }

        return characters;
    }
}
