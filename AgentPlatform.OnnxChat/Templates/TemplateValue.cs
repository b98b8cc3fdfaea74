using System.Globalization;
using System.Text;
using System.Text.Json;

namespace AgentPlatform.OnnxChat.Templates;

/// <summary>
/// The values of templates and Python's rules for them: null (None), <see cref="bool"/>, <see cref="long"/>,
/// <see cref="double"/>, <see cref="string"/>, lists of values, dictionaries from string to value,
/// <see cref="TemplateNamespace"/>, <see cref="TemplateFunction"/>, <see cref="TemplateUndefined"/>.
/// </summary>
internal static class TemplateValue
{
    /// <summary>A JSON value as a template sees it.</summary>
    public static object? Of(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number => json.TryGetInt64(out var integer) ? integer : json.GetDouble(),
        JsonValueKind.Array => json.EnumerateArray().Select(Of).ToList(),
        _ => new OrderedDictionary<string, object?>(
            json.EnumerateObject().GroupBy(member => member.Name, (name, members) => KeyValuePair.Create(name, Of(members.Last().Value)))),
    };

    public static bool IsTrue(object? value) => value switch
    {
        null or TemplateUndefined => false,
        bool boolean => boolean,
        long integer => integer != 0,
        double number => number != 0,
        string text => text.Length > 0,
        IReadOnlyList<object?> list => list.Count > 0,
        IReadOnlyDictionary<string, object?> dictionary => dictionary.Count > 0,
        _ => true,
    };

    public static bool Equals(object? left, object? right, TemplateBudget budget)
    {
        budget.Enter();
        var equal = (left, right) switch
        {
            (TemplateUndefined, TemplateUndefined) => true,
            (bool or long or double, bool or long or double) => Number(left).Equals(Number(right)),
            (IReadOnlyList<object?> a, IReadOnlyList<object?> b) =>
                a.Count == b.Count && a.Zip(b).All(pair => Equals(pair.First, pair.Second, budget)),
            (IReadOnlyDictionary<string, object?> a, IReadOnlyDictionary<string, object?> b) =>
                a.Count == b.Count && a.All(pair => b.TryGetValue(pair.Key, out var other) && Equals(pair.Value, other, budget)),
            (string a, string b) => Equals(a, b, budget),
            _ => object.Equals(left, right),
        };
        budget.Leave();
        return equal;
    }

    private static bool Equals(string left, string right, TemplateBudget budget)
    {
        budget.Read(Math.Min(left.Length, right.Length));
        return string.Equals(left, right, StringComparison.Ordinal);
    }

    public static int Compare(object? left, object? right, TemplateBudget budget)
    {
        switch (left, right)
        {
            case (bool or long or double, bool or long or double):
                return Number(left).CompareTo(Number(right));
            case (string a, string b):
                budget.Read(Math.Min(a.Length, b.Length));
                return string.CompareOrdinal(a, b);
            default:
                throw new TemplateException($"{DisplayName(left)} and {DisplayName(right)} cannot be compared");
        }
    }

    public static bool Contains(object? container, object? value, TemplateBudget budget)
    {
        switch (container)
        {
            case string text when value is string part:
                budget.Search(text, part);
                return text.Contains(part, StringComparison.Ordinal);
            case string:
                throw new TemplateException($"a string cannot contain {DisplayName(value)}");
            case IReadOnlyDictionary<string, object?> dictionary:
                return value is string key && dictionary.ContainsKey(key);
            case IReadOnlyList<object?> list:
                return list.Any(item => Equals(item, value, budget));
            case TemplateNamespace space:
                return value is string name && space.Members.ContainsKey(name);
            default:
                throw new TemplateException($"{DisplayName(container)} contains nothing");
        }
    }

    /// <summary>What a loop goes over: the items of a list, the keys of a dictionary, the characters of a string.</summary>
    public static IReadOnlyList<object?> Items(object? value, TemplateBudget budget)
    {
        switch (value)
        {
            case IReadOnlyList<object?> list:
                return list;
            case IReadOnlyDictionary<string, object?> dictionary:
                budget.MakeItems(dictionary.Count);
                return [.. dictionary.Keys];
            case string text:
                budget.MakeItems(text.Length);
                return [.. text.EnumerateRunes().Select(rune => rune.ToString())];
            case TemplateUndefined:
                return [];
            default:
                throw new TemplateException($"{DisplayName(value)} cannot be iterated");
        }
    }

    public static long Length(object? value, TemplateBudget budget) => value switch
    {
        string text => text.Length,
        IReadOnlyDictionary<string, object?> dictionary => dictionary.Count,
        _ => Items(value, budget).Count,
    };

    /// <summary>Texts one behind the other: <c>a ~ b</c>.</summary>
    public static string Join(object? left, object? right, TemplateBudget budget) => Add(Text(left, budget), Text(right, budget), budget);

    /// <summary>The texts of items with <paramref name="separator"/> between them.</summary>
    public static string Join(string separator, IEnumerable<object?> items, TemplateBudget budget)
    {
        var joined = new StringBuilder();
        var isFirst = true;
        foreach (var item in items)
        {
            var text = Text(item, budget);
            budget.Make((long)separator.Length + text.Length);
            joined.Append(isFirst ? "" : separator).Append(text);
            isFirst = false;
        }

        return joined.ToString();
    }

    /// <summary>Arithmetic of Python: <c>+ - * / // % **</c>.</summary>
    public static object? Calculate(string symbol, object? left, object? right, TemplateBudget budget)
    {
        switch (symbol, left, right)
        {
            case ("+", string a, string b):
                return Add(a, b, budget);
            case ("+", IReadOnlyList<object?> a, IReadOnlyList<object?> b):
                budget.MakeItems((long)a.Count + b.Count);
                return new List<object?>([.. a, .. b]);
            case ("*", string text, long times):
                budget.Make(text.Length == 0 ? 0 : Math.Clamp(times, 0, int.MaxValue) * text.Length);
                return text.Length == 0 || times <= 0 ? "" : new StringBuilder().Insert(0, text, (int)times).ToString();
            case ("**", long power, long exponent) when exponent >= 0:
                return (long)Math.Pow(power, exponent);
            case (_, bool or long, bool or long) when symbol is not ("/" or "**"):
                return Calculate(symbol, (long)Number(left), (long)Number(right));
            case (_, bool or long or double, bool or long or double):
                var (x, y) = (Number(left), Number(right));
                return symbol switch
                {
                    "+" => x + y,
                    "-" => x - y,
                    "*" => x * y,
                    "/" => y == 0 ? throw new TemplateException("division by zero") : x / y,
                    "//" => Math.Floor(x / y),
                    "**" => Math.Pow(x, y),
                    _ => x - (y * Math.Floor(x / y)),
                };
            default:
                throw new TemplateException($"'{symbol}' is not defined for {DisplayName(left)} and {DisplayName(right)}");
        }
    }

    private static string Add(string left, string right, TemplateBudget budget)
    {
        budget.Make((long)left.Length + right.Length);
        return left + right;
    }

    private static long Calculate(string symbol, long x, long y)
    {
        if (symbol is "//" or "%" && y == 0)
        {
            throw new TemplateException("division by zero");
        }

        // Python rounds down, and a remainder has the divisor's sign.
        return symbol switch
        {
            "+" => x + y,
            "-" => x - y,
            "*" => x * y,
            "//" => (long)Math.Floor((double)x / y),
            _ => y == -1 ? 0 : ((x % y) + y) % y,
        };
    }

    /// <summary>What is printed for a value: Python's <c>str</c>.</summary>
    public static string Text(object? value, TemplateBudget budget)
    {
        switch (value)
        {
            case string text:
                return text;
            case TemplateUndefined:
                return "";
            case IReadOnlyList<object?> or IReadOnlyDictionary<string, object?>:
                var shown = new StringBuilder();
                Show(shown, value, budget);
                return shown.ToString();
            default:
                return Show(value);
        }
    }

    /// <summary>A value for a sentence about it.</summary>
    public static string DisplayName(object? value) => value switch
    {
        TemplateUndefined undefined => $"'{undefined.Name}', which is undefined,",
        string => "a string",
        IReadOnlyList<object?> => "a list",
        IReadOnlyDictionary<string, object?> => "a dictionary",
        TemplateFunction => "a function",
        _ => Show(value),
    };

    /// <summary>A value as JSON, as Python's <c>json.dumps(value, ensure_ascii=False)</c> writes it: <c>{"a": [1, 2]}</c>.</summary>
    /// <param name="value">What has a JSON form.</param>
    /// <param name="indent">Spaces per level; null for one line.</param>
    /// <param name="budget">What it may cost.</param>
    public static string Json(object? value, int? indent, TemplateBudget budget)
    {
        var json = new StringBuilder();
        WriteJson(json, value, indent, 0, budget);
        return json.ToString();
    }

    private static void WriteJson(StringBuilder json, object? value, int? indent, int level, TemplateBudget budget)
    {
        budget.Enter();
        switch (value)
        {
            case string text:
                budget.Make((long)text.Length);
                WriteJson(json, text);
                break;
            case IReadOnlyDictionary<string, object?> dictionary:
                Write('{', '}', dictionary, pair =>
                {
                    budget.Make((long)pair.Key.Length);
                    WriteJson(json, pair.Key);
                    json.Append(": ");
                    WriteJson(json, pair.Value, indent, level + 1, budget);
                });
                break;
            case IReadOnlyList<object?> list:
                Write('[', ']', list, item => WriteJson(json, item, indent, level + 1, budget));
                break;
            case null or bool or long or double:
                json.Append(value switch { null => "null", true => "true", false => "false", _ => Show(value) });
                break;
            default:
                throw new TemplateException($"{DisplayName(value)} has no JSON form");
        }

        budget.Leave();

        void Write<T>(char open, char close, IReadOnlyCollection<T> items, Action<T> write)
        {
            json.Append(open);
            var first = true;
            foreach (var item in items)
            {
                json.Append(first ? "" : indent is null ? ", " : ",");
                NewLine(level + 1);
                write(item);
                first = false;
            }

            if (items.Count > 0)
            {
                NewLine(level);
            }

            json.Append(close);
        }

        void NewLine(int depth)
        {
            budget.Make(2L + ((indent ?? 0) * depth));
            json.Append(indent is { } spaces ? "\n" + new string(' ', spaces * depth) : "");
        }
    }

    // .NET's encoders escape more than JSON demands, and a model reads every character.
    private static void WriteJson(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (var character in text)
        {
            json.Append(character switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' => $"\\u{(int)character:x4}",
                _ => null,
            });
            if (character is >= ' ' and not ('"' or '\\'))
            {
                json.Append(character);
            }
        }

        json.Append('"');
    }

    private static double Number(object? value) => value switch
    {
        bool boolean => boolean ? 1 : 0,
        long integer => integer,
        double number => number,
        _ => throw new TemplateException($"{DisplayName(value)} is not a number"),
    };

    // Python's repr, which is also what a list prints for its items.
    private static string Show(object? value) => value switch
    {
        null => "None",
        true => "True",
        false => "False",
        long integer => integer.ToString(CultureInfo.InvariantCulture),
        double number => number == Math.Floor(number) && Math.Abs(number) < 1e16
            ? number.ToString("0.0", CultureInfo.InvariantCulture) : number.ToString("R", CultureInfo.InvariantCulture),
        string text =>
            "'" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal) + "'",
        TemplateUndefined => "Undefined",
        _ => "<function>",
    };

    private static void Show(StringBuilder shown, object? value, TemplateBudget budget)
    {
        budget.Enter();
        switch (value)
        {
            case IReadOnlyDictionary<string, object?> dictionary:
                shown.Append('{');
                var isFirst = true;
                foreach (var (key, member) in dictionary)
                {
                    shown.Append(isFirst ? "" : ", ");
                    isFirst = false;
                    Show(shown, key, budget);
                    shown.Append(": ");
                    Show(shown, member, budget);
                }

                shown.Append('}');
                break;
            case IReadOnlyList<object?> list:
                shown.Append('[');
                for (var index = 0; index < list.Count; index++)
                {
                    shown.Append(index > 0 ? ", " : "");
                    Show(shown, list[index], budget);
                }

                shown.Append(']');
                break;
            default:
                var text = Show(value);
                budget.Make(2L + text.Length);
                shown.Append(text);
                break;
        }

        budget.Leave();
    }
}
