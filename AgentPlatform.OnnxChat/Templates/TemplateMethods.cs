using System.Globalization;
using System.Text;

namespace AgentPlatform.OnnxChat.Templates;

/// <summary>The methods of strings and dictionaries that chat templates call, with Python's meaning.</summary>
internal static class TemplateMethods
{
    private static readonly HashSet<string> _known = new(StringComparer.Ordinal)
    {
        "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith", "upper", "lower", "title", "capitalize",
        "replace",
        "find", "count", "join", "removeprefix", "removesuffix", "isdigit", "items", "keys", "values", "get",
    };

    /// <summary>Whether some kind of value has a method of that name.</summary>
    public static bool Knows(string name) => _known.Contains(name);

    /// <summary>Calls a method of <paramref name="target"/>.</summary>
    /// <exception cref="TemplateException">It has no such method.</exception>
    public static object? Call(object? target, string name, TemplateArguments arguments) => target switch
    {
        string text => OfString(text, name, arguments),
        IReadOnlyDictionary<string, object?> dictionary => OfDictionary(dictionary, name, arguments),
        TemplateNamespace space => OfDictionary(space.Members, name, arguments),
        TemplateUndefined undefined => throw new TemplateException($"'{undefined.Name}' is undefined"),
        IReadOnlyList<object?> list when name == "count" =>
            (long)list.Count(item => TemplateValue.Equals(item, arguments.Get(0, "value"), arguments.Budget)),
        _ => throw Missing(target, name),
    };

    public static string Capitalize(string text) => text.Length == 0 ? "" : text[..1].ToUpperInvariant() + text[1..].ToLowerInvariant();

    private static object? OfString(string text, string name, TemplateArguments arguments)
    {
        var budget = arguments.Budget;
        budget.Read(text.Length);
        switch (name)
        {
            case "strip":
                return text.Trim(Set(text, arguments));
            case "lstrip":
                return text.TrimStart(Set(text, arguments));
            case "rstrip":
                return text.TrimEnd(Set(text, arguments));
            case "split" or "rsplit":
                return Split(text, arguments.Text(0, "sep"), arguments.Integer(1, "maxsplit", -1), fromEnd: name == "rsplit", budget);
            case "splitlines":
                return text.ReplaceLineEndings("\n") is var lines && lines.Length == 0
                    ? []
                    : Split(lines.EndsWith('\n') ? lines[..^1] : lines, "\n", -1, fromEnd: false, budget);
            case "startswith":
                return Affixes(arguments).Any(prefix => text.StartsWith(prefix, StringComparison.Ordinal));
            case "endswith":
                return Affixes(arguments).Any(suffix => text.EndsWith(suffix, StringComparison.Ordinal));
            case "upper":
                return text.ToUpperInvariant();
            case "lower":
                return text.ToLowerInvariant();
            case "title":
                return CultureInfo.InvariantCulture.TextInfo.ToTitleCase(text.ToLowerInvariant());
            case "capitalize":
                return Capitalize(text);
            case "replace":
                return Replace(
                    text, Required(arguments, 0, "old"), Required(arguments, 1, "new"), arguments.Integer(2, "count", -1), budget);
            case "find":
                budget.Search(text, Required(arguments, 0, "sub"));
                return (long)text.IndexOf(Required(arguments, 0, "sub"), StringComparison.Ordinal);
            case "count":
                budget.Search(text, Required(arguments, 0, "sub"));
                return (long)text.AsSpan().Count(Required(arguments, 0, "sub"));
            case "join":
                return TemplateValue.Join(text, TemplateValue.Items(arguments.Get(0, "iterable"), budget), budget);
            case "removeprefix":
                return Required(arguments, 0, "prefix") is var prefix && text.StartsWith(prefix, StringComparison.Ordinal)
                    ? text[prefix.Length..]
                    : text;
            case "removesuffix":
                return Required(arguments, 0, "suffix") is var suffix && text.EndsWith(suffix, StringComparison.Ordinal)
                    ? text[..^suffix.Length]
                    : text;
            case "isdigit":
                return text.Length > 0 && text.All(char.IsDigit);
            default:
                throw Missing(text, name);
        }
    }

    private static object? OfDictionary(IReadOnlyDictionary<string, object?> dictionary, string name, TemplateArguments arguments) =>
        name switch
    {
        "items" => dictionary.Select(pair => (object?)new List<object?> { pair.Key, pair.Value }).ToList(),
        "keys" => dictionary.Keys.Select(key => (object?)key).ToList(),
        "values" => dictionary.Values.ToList(),
        "get" => dictionary.TryGetValue(Required(arguments, 0, "key"), out var value) ? value : arguments.Get(1, "default"),
        _ => throw Missing(dictionary, name),
    };

    private static List<object?> Split(string text, string? separator, long most, bool fromEnd, TemplateBudget budget)
    {
        budget.Search(text, separator ?? "");
        budget.Make((long)text.Length);
        if (separator is null)
        {
            // Python splits at runs of white space, and what is left after the last allowed split keeps its own.
            return most < 0
                ? [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)]
                : throw new TemplateException("split() with maxsplit needs a separator");
        }

        if (separator.Length == 0)
        {
            throw new TemplateException("split() needs a separator that is not empty");
        }

        List<object?> parts = [.. text.Split(separator, fromEnd || most < 0 ? int.MaxValue : (int)Math.Min(most + 1, int.MaxValue))];
        var joined = most >= 0 ? parts.Count - 1 - most : 0;
        return joined <= 0 || !fromEnd ? parts : [string.Join(separator, parts.Take((int)joined + 1)), .. parts.Skip((int)joined + 1)];
    }

    private static string Replace(string text, string old, string replacement, long most, TemplateBudget budget)
    {
        if (old.Length == 0)
        {
            return text;
        }

        budget.Search(text, old);
        var replaced = new StringBuilder();
        var from = 0;
        for (var left = most < 0 ? long.MaxValue : most;
            left > 0 && text.IndexOf(old, from, StringComparison.Ordinal) is >= 0 and var at;
            left--)
        {
            budget.Make((long)replacement.Length + at - from);
            replaced.Append(text, from, at - from).Append(replacement);
            from = at + old.Length;
        }

        return from == 0 ? text : replaced.Append(text, from, text.Length - from).ToString();
    }

    // startswith("a") or startswith(("a", "b"))
    private static IEnumerable<string> Affixes(TemplateArguments arguments) => arguments.Get(0, "prefix") switch
    {
        string text => [text],
        IReadOnlyList<object?> list => list.OfType<string>(),
        var other => throw new TemplateException($"a string cannot begin or end with {TemplateValue.DisplayName(other)}"),
    };

    // Without an argument: white space.
    private static char[]? Set(string text, TemplateArguments arguments)
    {
        var set = arguments.Text(0, "chars")?.ToCharArray();
        arguments.Budget.Read((long)text.Length * (set?.Length ?? 1));
        return set;
    }

    private static string Required(TemplateArguments arguments, int index, string name) =>
        arguments.Text(index, name) ?? throw new TemplateException($"an argument '{name}' is missing");

    private static TemplateException Missing(object? target, string name) =>
        new($"{TemplateValue.DisplayName(target)} has no method '{name}'");
}
