using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>The chart refuses the values that it is rendered with.</summary>
internal sealed class ChartRefusedException(string message) : Exception(message);

/// <summary>
/// Renders what the chart uses of Helm's language: <c>if</c>, <c>else</c> and <c>end</c>, values, pipelines and some functions. Anything else
/// is an error, and so is a value that does not exist.
/// </summary>
internal sealed partial class GoTemplate(IReadOnlyDictionary<string, object?> data)
{
    private static readonly JsonSerializerOptions _goJson = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Render(string template)
    {
        var text = new StringBuilder();

        // For every open if whether its present branch is written.
        var written = new Stack<bool>();
        var position = 0;
        foreach (Match action in Action().Matches(template))
        {
            Append(template[position..action.Index]);
            position = action.Index + action.Length;
            var code = action.Groups["code"].Value.Trim();
            if (code.StartsWith("if ", StringComparison.Ordinal))
            {
                written.Push(written.All(branch => branch) && IsTrue(Evaluate(code[3..])));
            }
            else if (code == "else")
            {
                written.Push(!written.Pop());
            }
            else if (code == "end")
            {
                written.Pop();
            }
            else
            {
                Append(written.All(branch => branch) ? Text(Evaluate(code)) : "");
            }
        }

        Append(template[position..]);
        Assert.Empty(written);
        return text.ToString();

        void Append(string part) => text.Append(written.All(branch => branch) ? part : "");
    }

    private object? Evaluate(string code)
    {
        var tokens = Token().Matches(code).Select(token => token.Value).ToList();
        Assert.Equal(Regex.Replace(code, @"\s", ""), Regex.Replace(string.Concat(tokens), @"\s", ""));
        var index = 0;
        var value = Pipeline(tokens, ref index);
        Assert.True(index == tokens.Count, $"{code} goes on after its end.");
        return value;
    }

    private object? Pipeline(List<string> tokens, ref int index)
    {
        var value = Call(tokens, ref index, []);
        while (index < tokens.Count && tokens[index] == "|")
        {
            index++;
            value = Call(tokens, ref index, [value]);
        }

        return value;
    }

    private object? Call(List<string> tokens, ref int index, object?[] piped)
    {
        var first = tokens[index];
        if (!char.IsLetter(first[0]))
        {
            Assert.Empty(piped);
            return Operand(tokens, ref index);
        }

        index++;
        var arguments = new List<object?>();
        while (index < tokens.Count && tokens[index] is not ("|" or ")"))
        {
            arguments.Add(Operand(tokens, ref index));
        }

        return Function(first, [.. arguments, .. piped]);
    }

    private object? Operand(List<string> tokens, ref int index)
    {
        var token = tokens[index++];
        if (token == "(")
        {
            var value = Pipeline(tokens, ref index);
            Assert.Equal(")", tokens[index++]);
            return value;
        }

        return token[0] switch
        {
            '`' or '"' => token[1..^1],
            '.' => Find(token),
            _ when char.IsDigit(token[0]) => long.Parse(token, CultureInfo.InvariantCulture) is var number && number <= int.MaxValue ? (object)(int)number : number,
            _ => Function(token, []),
        };
    }

    private object? Find(string path)
    {
        object? value = data;
        foreach (var key in path.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.True(value is IReadOnlyDictionary<string, object?> map && map.ContainsKey(key), $"There is no {path}.");
            value = ((IReadOnlyDictionary<string, object?>)value!)[key];
        }

        return value;
    }

    private static object? Function(string name, object?[] arguments) => (name, arguments) switch
    {
        ("int", [var value]) => Convert.ToInt32(value, CultureInfo.InvariantCulture),
        ("toString", [var value]) => Text(value),
        ("quote", [var value]) => JsonSerializer.Serialize(Text(value)),
        ("default", [var fallback, var value]) => IsTrue(value) ? value : fallback,
        ("not", [var value]) => !IsTrue(value),
        ("empty", [var value]) => !IsTrue(value),
        ("gt", [int left, int right]) => left > right,
        ("fail", [string sentence]) => throw new ChartRefusedException(sentence),
        ("eq", [var left, var right]) => Equals(left, right),
        ("ne", [var left, var right]) => !Equals(left, right),
        ("ternary", [var yes, var no, bool condition]) => condition ? yes : no,
        ("or", _) => arguments.FirstOrDefault(IsTrue, arguments[^1]),
        ("and", _) => arguments.FirstOrDefault(argument => !IsTrue(argument), arguments[^1]),
        ("dict", _) => arguments.Chunk(2).ToDictionary(pair => (string)pair[0]!, pair => pair[1]),

        // Those of templates/_functions.tpl.
        ("include", ["escaped", var value]) => Json(Text(value))[1..^1],
        ("include", ["replicas", IReadOnlyDictionary<string, object?> deployment]) => Text(deployment["least"]),
        ("include", ["share", IReadOnlyDictionary<string, object?> share]) => Share(share),
        ("include", ["nodes", IReadOnlyDictionary<string, object?> nodes]) => string.Concat(Enumerable.Range(0, (int)nodes["count"]!).Select(
            node => $"cluster_formation.classic_config.nodes.{node + 1} = rabbit@messaging-statefulset-{node}.messaging-nodes.{nodes["namespace"]}\n")),
        ("regexQuoteMeta", [string text]) => RegexCharacter().Replace(text, @"\$0"),
        ("replace", [string old, string by, string text]) => text.Replace(old, by, StringComparison.Ordinal),

        // A cluster in which nothing is installed yet.
        ("lookup", [_, _, _, _]) => new Dictionary<string, object?>(),
        ("get", [IReadOnlyDictionary<string, object?> map, string key]) => map.GetValueOrDefault(key, ""),
        ("randAlphaNum", [int length]) => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", length),
        ("b64enc", [var value]) => Convert.ToBase64String(Encoding.UTF8.GetBytes(Text(value))),
        ("urlquery", [var value]) => Uri.EscapeDataString(Text(value)),
        ("toJson", [var value]) => Json(value),
        ("sha256sum", [var value]) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text(value)))),
        ("printf", [string format, ..]) => arguments[1..].Aggregate(format, (text, argument) => text[..text.IndexOf("%s", StringComparison.Ordinal)] + Text(argument) + text[(text.IndexOf("%s", StringComparison.Ordinal) + 2)..]),
        _ => throw new NotSupportedException($"{name} with {arguments.Length} arguments"),
    };

    private static long Share(IReadOnlyDictionary<string, object?> share)
    {
        var quantity = Quantity().Match((string)share["of"]!);
        var unit = quantity.Groups["unit"].Value switch { "" => 1L, "M" => 1_000_000, "G" => 1_000_000_000, "Mi" => 1L << 20, "Gi" => 1L << 30, var other => throw new NotSupportedException(other) };
        var bytes = double.Parse(quantity.Groups["number"].Value, CultureInfo.InvariantCulture) * unit;
        return Math.Max(Convert.ToInt64(share["least"], CultureInfo.InvariantCulture), Math.Min(
            Convert.ToInt64(share["most"], CultureInfo.InvariantCulture), (long)(bytes * (int)share["times"]! / (int)share["by"]!)));
    }

    private static bool IsTrue(object? value) => value switch
    {
        null or false or "" or 0 => false,
        IReadOnlyDictionary<string, object?> map => map.Count > 0,
        _ => true,
    };

    // As Go writes it: keys in their order, and three characters of HTML escaped.
    private static string Json(object? value) => JsonSerializer.Serialize(Sorted(value), _goJson)
        .Replace("<", "\\u003c", StringComparison.Ordinal).Replace(">", "\\u003e", StringComparison.Ordinal).Replace("&", "\\u0026", StringComparison.Ordinal);

    private static object? Sorted(object? value) => value switch
    {
        IReadOnlyDictionary<string, object?> map => new SortedDictionary<string, object?>(map.ToDictionary(entry => entry.Key, entry => Sorted(entry.Value)), StringComparer.Ordinal),
        List<object?> list => list.Select(Sorted).ToList(),
        _ => value,
    };

    private static string Text(object? value) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    // "{{- if .Values.a }}\n": a hyphen takes the white space before or after.
    [GeneratedRegex(@"(?:\s*\{\{-|\{\{)(?<code>(?:`[^`]*`|[^`}])*?)(?:-\}\}\s*|\}\})")]
    private static partial Regex Action();

    [GeneratedRegex("^(?<number>[0-9.]+)(?<unit>[A-Za-z]*)$")]
    private static partial Regex Quantity();

    [GeneratedRegex(@"[\\.+*?()|\[\]{}^$]")]
    private static partial Regex RegexCharacter();

    [GeneratedRegex("""`[^`]*`|"[^"]*"|\.[\w.]+|\w+|[()|]""")]
    private static partial Regex Token();
}
