using System.Globalization;

namespace AgentPlatform.Worker.Engines.OnnxChat.Templates;

/// <summary>What <c>value | name(arguments)</c> does.</summary>
internal delegate object? TemplateFilter(object? value, TemplateArguments arguments);

/// <summary>The filters that chat templates use, with the meaning of https://jinja.palletsprojects.com/en/stable/templates/#builtin-filters.</summary>
internal static class TemplateFilters
{
    private static readonly Dictionary<string, TemplateFilter> _known = new(StringComparer.Ordinal)
    {
        ["abs"] = static (value, _) => value is long integer ? Math.Abs(integer) : value is double number ? Math.Abs(number) : throw Unfit("abs", value),
        ["capitalize"] = static (value, _) => TemplateMethods.Capitalize(TemplateValue.Text(value)),
        ["count"] = static (value, _) => TemplateValue.Length(value),
        ["d"] = Default,
        ["default"] = Default,
        ["first"] = static (value, _) => TemplateValue.Items(value) is [var first, ..] ? first : new TemplateUndefined("first"),
        ["float"] = static (value, _) => double.TryParse(TemplateValue.Text(value), CultureInfo.InvariantCulture, out var number) ? number : 0.0,
        ["indent"] = Indent,
        ["int"] = static (value, _) => value is double number ? (long)number : long.TryParse(TemplateValue.Text(value), CultureInfo.InvariantCulture, out var integer) ? integer : 0L,
        ["items"] = static (value, _) => value is TemplateUndefined ? new List<object?>() : TemplateMethods.Call(value, "items", new TemplateArguments([], new Dictionary<string, object?>())),
        ["join"] = static (value, arguments) => string.Join(arguments.Text(0, "d") ?? "", Attribute(value, arguments.Text(1, "attribute")).Select(TemplateValue.Text)),
        ["last"] = static (value, _) => TemplateValue.Items(value) is [.., var last] ? last : new TemplateUndefined("last"),
        ["length"] = static (value, _) => TemplateValue.Length(value),
        ["list"] = static (value, _) => TemplateValue.Items(value).ToList(),
        ["lower"] = static (value, _) => TemplateValue.Text(value).ToLowerInvariant(),
        ["map"] = Map,
        ["reject"] = static (value, arguments) => Select(value, arguments, ofAttribute: false, keep: false),
        ["rejectattr"] = static (value, arguments) => Select(value, arguments, ofAttribute: true, keep: false),
        ["replace"] = static (value, arguments) => TemplateMethods.Call(TemplateValue.Text(value), "replace", arguments),
        ["reverse"] = static (value, _) => value is string text ? string.Concat(text.Reverse()) : TemplateValue.Items(value).Reverse().ToList(),
        ["round"] = static (value, arguments) => value is long or double
            ? Math.Round(Convert.ToDouble(value, CultureInfo.InvariantCulture), (int)arguments.Integer(0, "precision", 0)) : throw Unfit("round", value),
        ["safe"] = static (value, _) => value,
        ["select"] = static (value, arguments) => Select(value, arguments, ofAttribute: false, keep: true),
        ["selectattr"] = static (value, arguments) => Select(value, arguments, ofAttribute: true, keep: true),
        ["string"] = static (value, _) => TemplateValue.Text(value),
        ["title"] = static (value, _) => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(TemplateValue.Text(value).ToLowerInvariant()),
        ["tojson"] = static (value, arguments) => TemplateValue.Json(value, arguments.Get(0, "indent") is long indent ? (int)Math.Clamp(indent, 0, 16) : null),
        ["trim"] = static (value, arguments) => TemplateMethods.Call(TemplateValue.Text(value), "strip", arguments),
        ["upper"] = static (value, _) => TemplateValue.Text(value).ToUpperInvariant(),
    };

    /// <summary>The filter of that name; null if it is not known.</summary>
    public static TemplateFilter? Find(string name) => _known.GetValueOrDefault(name);

    private static object? Default(object? value, TemplateArguments arguments) =>
        value is TemplateUndefined || (TemplateValue.IsTrue(arguments.Get(1, "boolean", false)) && !TemplateValue.IsTrue(value))
            ? arguments.Get(0, "default_value", "") : value;

    private static string Indent(object? value, TemplateArguments arguments)
    {
        var indent = new string(' ', (int)Math.Clamp(arguments.Integer(0, "width", 4), 0, 64));
        var lines = TemplateValue.Text(value).Split('\n');
        var (first, blank) = (TemplateValue.IsTrue(arguments.Get(1, "first", false)), TemplateValue.IsTrue(arguments.Get(2, "blank", false)));
        return string.Join('\n', lines.Select((line, place) => (place == 0 ? first : blank || line.Length > 0) ? indent + line : line));
    }

    // map(attribute="role") or map("upper")
    private static List<object?> Map(object? value, TemplateArguments arguments)
    {
        if (arguments.Positional.Count == 0)
        {
            return [.. Attribute(value, arguments.Text(0, "attribute"))];
        }

        var name = arguments.Text(0, "name")!;
        var filter = Find(name) ?? throw new TemplateException($"the filter '{name}' is not known");
        var rest = arguments with { Positional = [.. arguments.Positional.Skip(1)] };
        return [.. TemplateValue.Items(value).Select(item => filter(item, rest))];
    }

    // selectattr("role", "equalto", "user"), selectattr("content"), select("string")
    private static List<object?> Select(object? value, TemplateArguments arguments, bool ofAttribute, bool keep)
    {
        var attribute = ofAttribute ? arguments.Text(0, "attribute") : null;
        var at = ofAttribute ? 1 : 0;
        var name = arguments.Text(at, "test");
        TemplateTest test = name is null ? static (item, _) => TemplateValue.IsTrue(item)
            : TemplateTests.Find(name) ?? throw new TemplateException($"the test '{name}' is not known");
        var rest = arguments with { Positional = [.. arguments.Positional.Skip(at + 1)] };
        var items = TemplateValue.Items(value);
        return [.. items.Zip(Attribute(value, attribute)).Where(pair => test(pair.Second, rest) == keep).Select(pair => pair.First)];
    }

    private static IEnumerable<object?> Attribute(object? value, string? attribute) => attribute is null
        ? TemplateValue.Items(value)
        : TemplateValue.Items(value).Select(item => new ItemExpression(new ConstantExpression(item), new ConstantExpression(attribute)).Evaluate(new TemplateScope()));

    private static TemplateException Unfit(string filter, object? value) => new($"the filter '{filter}' cannot take {TemplateValue.Describe(value)}");
}
