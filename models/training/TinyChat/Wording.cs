using System.Text;
using System.Text.RegularExpressions;

namespace AgentPlatform.Training.TinyChat;

/// <summary>
/// Says a question in other ways: words with the same meaning, polite and chatty additions, missing words,
/// slips of the keyboard, other case and punctuation. What it knows stands in <c>data/wording.txt</c>.
/// </summary>
internal sealed partial class Wording
{
    private const string Keyboard = "qwertyuiop asdfghjkl zxcvbnm";

    private readonly List<(Regex Pattern, string[] Others)> _synonyms = [];
    private readonly List<string> _openings = [], _closings = [], _systems = [];
    private readonly HashSet<string> _small = [];

    /// <summary>
    /// Reads sections <c>[synonyms]</c> (a line: phrases that mean the same, between
    /// bars), <c>[openings]</c>, <c>[closings]</c>, <c>[small]</c>, <c>[systems]</c>.
    /// </summary>
    public static Wording Read(string file)
    {
        var wording = new Wording();
        var section = "";
        foreach (var line in File.ReadLines(file).Where(line => line.Length > 0 && line[0] != '#'))
        {
            switch (section = line[0] == '[' ? line : section)
            {
                case var header when header == line:
                    break;
                case "[synonyms]":
                    var phrases = line.Split('|', StringSplitOptions.TrimEntries);
                    foreach (var phrase in phrases)
                    {
                        wording._synonyms.Add((
                            new Regex($@"(?<![\w/:.-]){Regex.Escape(phrase)}(?![\w/:-]|\.\w)", RegexOptions.IgnoreCase),
                            [.. phrases.Except([phrase])]));
                    }

                    break;
                case "[openings]":
                    wording._openings.Add(line);
                    break;
                case "[closings]":
                    wording._closings.Add(line);
                    break;
                case "[systems]":
                    wording._systems.Add(line);
                    break;
                case "[small]":
                    wording._small.UnionWith(line.Split(' '));
                    break;
                default:
                    throw new InvalidDataException($"{file} has no section {section}.");
            }
        }

        return wording;
    }

    /// <summary>An instruction as applications send it, one to three sentences.</summary>
    public string System(Random random) => string.Join(' ', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Any(_systems, random)));

    public string Vary(string question, Random random)
    {
        var text = question;
        if (Chance(0.6, random))
        {
            text = Synonyms(text, random);
        }

        if (Chance(0.4, random))
        {
            text = Thinned(text, random);
        }

        if (Chance(0.12, random))
        {
            text = Mistyped(text, random);
        }

        text = Punctuated(text, random);
        if (Chance(0.2, random))
        {
            text = $"{Any(_openings, random)} {Uncapitalised(text)}";
        }

        if (Chance(0.12, random))
        {
            text = $"{text.TrimEnd('?', '.', '!')}{Any(_closings, random)}";
        }

        return Cased(text, random);
    }

    /// <summary>Whether a word says nothing about the subject: the, do, please.</summary>
    public bool IsSmall(string word) => _small.Contains(word.ToLowerInvariant().Trim('?', '.', ',', '!'));

    private string Synonyms(string text, Random random)
    {
        foreach (var (pattern, others) in _synonyms)
        {
            // Most lines do not match, so the question whether to replace comes second.
            if (pattern.IsMatch(text) && Chance(0.35, random))
            {
                text = pattern.Replace(text, Any(others, random), 1);
            }
        }

        return text;
    }

    /// <summary>Without some of its words, the small ones (the, do, please) above all: as people type into a search box.</summary>
    private string Thinned(string text, Random random)
    {
        var words = text.Split(' ');
        var (small, other) = Chance(0.5, random) ? (0.8, 0.0) : (0.25, 0.15);
        var kept = words.Where(word => !Chance(IsSmall(word) ? small : other, random)).ToArray();
        return kept.Length >= Math.Min(2, words.Length) ? string.Join(' ', kept) : text;
    }

    private static string Mistyped(string text, Random random)
    {
        var typed = new StringBuilder(text);
        for (var slips = random.Next(1, 3); slips > 0; slips--)
        {
            var place = random.Next(typed.Length);
            if (!char.IsLetter(typed[place]))
            {
                continue;
            }

            switch (random.Next(4))
            {
                case 0 when place + 1 < typed.Length && char.IsLetter(typed[place + 1]):
                    (typed[place], typed[place + 1]) = (typed[place + 1], typed[place]);
                    break;
                case 1 when typed.Length > 3:
                    typed.Remove(place, 1);
                    break;
                case 2:
                    typed.Insert(place, typed[place]);
                    break;
                default:
                    var key = Keyboard.IndexOf(char.ToLowerInvariant(typed[place]), StringComparison.Ordinal);
                    if (key > 0 && Keyboard[key - 1] != ' ')
                    {
                        typed[place] = Keyboard[key - 1];
                    }

                    break;
            }
        }

        return typed.ToString();
    }

    private static string Punctuated(string text, Random random)
    {
        var end = text.TrimEnd('?', '.', '!', ' ');
        text = random.Next(10) switch
        {
            < 4 => end,
            4 => $"{end}?",
            5 => random.Next(4) switch { 0 => $"{end}??", 1 => $"{end}!", 2 => $"{end} ?", _ => $"{end}." },
            _ => text,
        };
        text = Chance(0.25, random) ? text.Replace("'", "", StringComparison.Ordinal) : text;
        text = Chance(0.15, random) ? text.Replace(",", "", StringComparison.Ordinal) : text;
        return Chance(0.1, random) ? HyphenOrSlash().Replace(text, " ") : text;
    }

    private static string Cased(string text, Random random) => random.Next(20) switch
    {
        < 10 => text.ToLowerInvariant(),
        10 when text.Length > 0 => char.ToUpperInvariant(text[0]) + text[1..],
        11 when Chance(0.2, random) => text.ToUpperInvariant(),
        _ => text,
    };

    private static string Uncapitalised(string text) =>
        text is [var first, var second, ..] && char.IsLower(second) ? char.ToLowerInvariant(first) + text[1..] : text;

    private static bool Chance(double probability, Random random) => random.NextDouble() < probability;

    private static T Any<T>(IReadOnlyList<T> items, Random random) => items[random.Next(items.Count)];

    [GeneratedRegex(@"(?<=\w)[-_:/](?=\w)")]
    private static partial Regex HyphenOrSlash();
}
