namespace AgentPlatform.OnnxChat.Templates;

/// <summary>What <c>value is name(arguments)</c> asks.</summary>
internal delegate bool TemplateTest(object? value, TemplateArguments arguments);

/// <summary>
/// The tests that chat templates use, with the meaning of https://jinja.palletsprojects.com/en/stable/templates/#builtin-tests.
/// </summary>
internal static class TemplatePredicates
{
    private static readonly Dictionary<string, TemplateTest> _known = new(StringComparer.Ordinal)
    {
        ["=="] = Equal,
        ["!="] = static (value, arguments) => !Equal(value, arguments),
        ["boolean"] = static (value, _) => value is bool,
        ["callable"] = static (value, _) => value is TemplateFunction,
        ["defined"] = static (value, _) => value is not TemplateUndefined,
        ["divisibleby"] = static (value, arguments) =>
            value is long integer && arguments.Integer(0, "num", 1) is var by and not (0 or -1) && integer % by == 0,
        ["eq"] = Equal,
        ["equalto"] = Equal,
        ["even"] = static (value, _) => value is long integer && integer % 2 == 0,
        ["false"] = static (value, _) => value is false,
        ["float"] = static (value, _) => value is double,
        ["ge"] = static (value, arguments) => TemplateValue.Compare(value, arguments.Get(0, "other"), arguments.Budget) >= 0,
        ["gt"] = static (value, arguments) => TemplateValue.Compare(value, arguments.Get(0, "other"), arguments.Budget) > 0,
        ["in"] = static (value, arguments) => TemplateValue.Contains(arguments.Get(0, "seq"), value, arguments.Budget),
        ["integer"] = static (value, _) => value is long,
        ["iterable"] = static (value, _) => value is string or IReadOnlyList<object?> or IReadOnlyDictionary<string, object?>,
        ["le"] = static (value, arguments) => TemplateValue.Compare(value, arguments.Get(0, "other"), arguments.Budget) <= 0,
        ["lt"] = static (value, arguments) => TemplateValue.Compare(value, arguments.Get(0, "other"), arguments.Budget) < 0,
        ["mapping"] = static (value, _) => value is IReadOnlyDictionary<string, object?>,
        ["ne"] = static (value, arguments) => !Equal(value, arguments),
        ["none"] = static (value, _) => value is null,
        ["number"] = static (value, _) => value is long or double or bool,
        ["odd"] = static (value, _) => value is long integer && integer % 2 != 0,
        ["sequence"] = static (value, _) => value is string or IReadOnlyList<object?> or IReadOnlyDictionary<string, object?>,
        ["string"] = static (value, _) => value is string,
        ["true"] = static (value, _) => value is true,
        ["undefined"] = static (value, _) => value is TemplateUndefined,
    };

    /// <summary>The test of that name; null if it is not known.</summary>
    public static TemplateTest? Find(string name) => _known.GetValueOrDefault(name);

    private static bool Equal(object? value, TemplateArguments arguments) =>
        TemplateValue.Equals(value, arguments.Get(0, "other"), arguments.Budget);
}
