using System.Globalization;

namespace AgentPlatform.OnnxChat.Templates;

/// <summary>What <c>value | name(arguments)</c> does.</summary>
internal delegate object? TemplateFilter(object? value, TemplateArguments arguments);

/// <summary>
/// The filters that chat templates use, with the meaning of https://jinja.palletsprojects.com/en/stable/templates/#builtin-filters.
/// </summary>
internal static class TemplateFilters
{
    private static readonly Dictionary<string, TemplateFilter> _known = new(StringComparer.Ordinal)
    {
        ["abs"] = static (value, _) => value is long integer
            ? Math.Abs(Math.Max(integer, -long.MaxValue))
            : value is double number ? Math.Abs(number)
            : throw Unfit("abs", value),
        ["capitalize"] = static (value, arguments) => TemplateMethods.Capitalize(TemplateValue.Text(value, arguments.Budget)),
        ["count"] = static (value, arguments) => TemplateValue.Length(value, arguments.Budget),
        ["d"] = Default,
        ["default"] = Default,
        ["first"] = static (value, arguments) =>
            TemplateValue.Items(value, arguments.Budget) is [var first, ..] ? first : new TemplateUndefined("first"),
        ["float"] = static (value, arguments) =>
            double.TryParse(TemplateValue.Text(value, arguments.Budget), CultureInfo.InvariantCulture, out var number) ? number : 0.0,
        ["indent"] = Indent,
        ["int"] = static (value, arguments) => value is double number
            ? (long)number
            : long.TryParse(TemplateValue.Text(value, arguments.Budget), CultureInfo.InvariantCulture, out var integer) ? integer
            : 0L,
        ["items"] = static (value, arguments) =>
            value is TemplateUndefined ? new List<object?>() : TemplateMethods.Call(value, "items", arguments),
        ["join"] = static (value, arguments) => TemplateValue.Join(
            arguments.Text(0, "d") ?? "", Attribute(value, arguments.Text(1, "attribute"), arguments.Budget), arguments.Budget),
        ["last"] = static (value, arguments) =>
            TemplateValue.Items(value, arguments.Budget) is [.., var last] ? last : new TemplateUndefined("last"),
        ["length"] = static (value, arguments) => TemplateValue.Length(value, arguments.Budget),
        ["list"] = static (value, arguments) => TemplateValue.Items(value, arguments.Budget).ToList(),
        ["lower"] = static (value, arguments) => TemplateValue.Text(value, arguments.Budget).ToLowerInvariant(),
        ["map"] = Map,
        ["reject"] = static (value, arguments) => Select(value, arguments, ofAttribute: false, keep: false),
        ["rejectattr"] = static (value, arguments) => Select(value, arguments, ofAttribute: true, keep: false),
        ["replace"] = static (value, arguments) => TemplateMethods.Call(TemplateValue.Text(value, arguments.Budget), "replace", arguments),
        ["reverse"] = static (value, arguments) =>
            value is string text ? string.Concat(text.Reverse()) : TemplateValue.Items(value, arguments.Budget).Reverse().ToList(),
        ["round"] = static (value, arguments) => value is long or double
            ? Math.Round(
                Convert.ToDouble(value, CultureInfo.InvariantCulture), (int)Math.Clamp(arguments.Integer(0, "precision", 0), 0, 15))
            : throw Unfit("round", value),
        ["safe"] = static (value, _) => value,
        ["select"] = static (value, arguments) => Select(value, arguments, ofAttribute: false, keep: true),
        ["selectattr"] = static (value, arguments) => Select(value, arguments, ofAttribute: true, keep: true),
        ["string"] = static (value, arguments) => TemplateValue.Text(value, arguments.Budget),
        ["title"] = static (value, arguments) =>
            CultureInfo.InvariantCulture.TextInfo.ToTitleCase(TemplateValue.Text(value, arguments.Budget).ToLowerInvariant()),
        ["tojson"] = static (value, arguments) =>
            TemplateValue.Json(value, arguments.Get(0, "indent") is long indent ? (int)Math.Clamp(indent, 0, 16) : null, arguments.Budget),
        ["trim"] = static (value, arguments) => TemplateMethods.Call(TemplateValue.Text(value, arguments.Budget), "strip", arguments),
        ["upper"] = static (value, arguments) => TemplateValue.Text(value, arguments.Budget).ToUpperInvariant(),
    };

    /// <summary>The filter of that name; null if it is not known.</summary>
    public static TemplateFilter? Find(string name) => _known.GetValueOrDefault(name);

    private static object? Default(object? value, TemplateArguments arguments) =>
        value is TemplateUndefined || (TemplateValue.IsTrue(arguments.Get(1, "boolean", false)) && !TemplateValue.IsTrue(value))
            ? arguments.Get(0, "default_value", "") : value;

    private static string Indent(object? value, TemplateArguments arguments)
    {
        var indent = new string(' ', (int)Math.Clamp(arguments.Integer(0, "width", 4), 0, 64));
        var lines = TemplateValue.Text(value, arguments.Budget).Split('\n');
        arguments.Budget.Make((long)lines.Length * indent.Length);
        var (first, blank) = (
            TemplateValue.IsTrue(arguments.Get(1, "first", false)), TemplateValue.IsTrue(arguments.Get(2, "blank", false)));
        return string.Join('\n', lines.Select((line, place) => (place == 0 ? first : blank || line.Length > 0) ? indent + line : line));
    }

    // map(attribute="role") or map("upper")
    private static List<object?> Map(object? value, TemplateArguments arguments)
    {
        if (arguments.Positional.Count == 0)
        {
            return [.. Attribute(value, arguments.Text(0, "attribute"), arguments.Budget)];
        }

        var name = arguments.Text(0, "name")!;
        var filter = Find(name) ?? throw new TemplateException($"the filter '{name}' is not known");
        var rest = arguments with { Positional = [.. arguments.Positional.Skip(1)] };
        return [.. TemplateValue.Items(value, arguments.Budget).Select(item => FilterExpression.Apply(filter, item, rest))];
    }

    // selectattr("role", "equalto", "user"), selectattr("content"), select("string")
    private static List<object?> Select(object? value, TemplateArguments arguments, bool ofAttribute, bool keep)
    {
        var attribute = ofAttribute ? arguments.Text(0, "attribute") : null;
        var at = ofAttribute ? 1 : 0;
        var name = arguments.Text(at, "test");
        TemplateTest test = name is null ? static (item, _) => TemplateValue.IsTrue(item)
            : TemplatePredicates.Find(name) ?? throw new TemplateException($"the test '{name}' is not known");
        var rest = arguments with { Positional = [.. arguments.Positional.Skip(at + 1)] };
        var items = TemplateValue.Items(value, arguments.Budget);
        arguments.Budget.MakeItems(items.Count);
        return [.. items.Zip(Attribute(items, attribute, arguments.Budget)).Where(pair => test(pair.Second, rest) == keep).Select(pair =>
            pair.First)];
    }

    private static IEnumerable<object?> Attribute(object? value, string? attribute, TemplateBudget budget) => attribute is null
        ? TemplateValue.Items(value, budget)
        : TemplateValue.Items(value, budget).Select(item => ItemExpression.Of(item, attribute));

    private static TemplateException Unfit(string filter, object? value) =>
        new($"the filter '{filter}' cannot take {TemplateValue.DisplayName(value)}");
}
