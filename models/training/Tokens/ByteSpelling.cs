using System.Text;
using AgentPlatform.OnnxChat.Tokens;

namespace AgentPlatform.Training.Tokens;

/// <summary>
/// Texts in the characters of the <see cref="ByteAlphabet"/> that the worker reads, so that it finds them as they were trained.
/// </summary>
internal static class ByteSpelling
{
    /// <summary>The 256 characters, those of printable bytes first: the order of their tokens.</summary>
    public static IEnumerable<string> InTokenOrder => ByteAlphabet.Characters.ToArray().Order().Select(character => character.ToString());

    public static string Spell(string text) => string.Concat(Encoding.UTF8.GetBytes(text).Select(value => ByteAlphabet.Characters[value]));

    public static byte[] Read(string spelled) =>
        ByteAlphabet.Decode(spelled) ?? throw new FormatException($"'{spelled}' has characters that stand for no byte.");
}
