using System.Globalization;

namespace AgentPlatform.Training.Data;

/// <summary>Words, and pairs of words joined by <c>_</c>, whose feeling is known before training, from -3 to 3.</summary>
internal static class Lexicon
{
    /// <summary>Reads lines such as <c>2 superb flawless well_done</c>.</summary>
    public static Dictionary<string, int> Read(string path)
    {
        var words = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(path))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var strength, .. var named])
            {
                foreach (var word in named)
                {
                    if (!words.TryAdd(word, int.Parse(strength, CultureInfo.InvariantCulture)))
                    {
                        throw new InvalidDataException($"{path} names '{word}' twice.");
                    }
                }
            }
        }

        return words;
    }
}
