using System.Globalization;
using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Kubernetes.Publishing;

/// <summary>
/// A value of a chart: text, or an expression like <c>{{ .Values.config.gateway.HTTP_PORTS }}</c> with what values.yaml holds for it.
/// </summary>
/// <param name="Expression">The expression; null for text.</param>
/// <param name="Value">The text, or the default of the expression; null where a parameter gives it.</param>
internal sealed partial record HelmValue(string? Expression, object? Value)
{
    /// <summary>The parameter that gives the value.</summary>
    public ParameterResource? Parameter { get; init; }

    /// <summary>Key in values.yaml, where it is not the variable's name.</summary>
    public string? ValuesKey { get; init; }

    public string? ValueText => Convert.ToString(Value, CultureInfo.InvariantCulture);

    /// <summary>Whether the value itself refers to values.yaml.</summary>
    public bool IsComposed => ValueText is { } text && text.Contains("{{", StringComparison.Ordinal)
        && text.Contains(".Values.", StringComparison.Ordinal);

    public bool IsSecret => (Expression ?? ValueText)?.Contains(".Values.secrets.", StringComparison.Ordinal) == true
        || ContainsSecret(ValueText);

    public static HelmValue Literal(object value) => new(null, value);

    public static bool ContainsSecret(string? text) => text?.Contains(".Values.secrets.", StringComparison.Ordinal) == true;

    /// <summary>As it stands where a number or a text is wanted: <c>{{ .Values.parameters.gateway.port_http | int }}</c>.</summary>
    public string ToScalar() =>
        Expression is null ? ValueText ?? "" : Value is int ? $"{{{{ {Expression.Trim('{', '}', ' ')} | int }}}}" : Expression;

    public override string ToString() => ValueText is { Length: > 0 } text ? text : Expression ?? "";

    /// <summary>Whether a text is an expression that gives a number, which must not be quoted.</summary>
    public static bool IsNumber(string text) => NumberExpression().IsMatch(text);

    /// <summary>Whether a text begins with <c>{{ if</c>, which is written as it is.</summary>
    public static bool IsFlowControl(string text) => FlowControl().IsMatch(text);

    [GeneratedRegex(@"^\{\{[^{}]*\|\s*(int|int64|float64)\s*\}\}$")]
    private static partial Regex NumberExpression();

    [GeneratedRegex(@"^\{\{\s*if\b")]
    private static partial Regex FlowControl();
}

/// <summary>Names as Aspire makes them.</summary>
internal static class HelmNames
{
    public const string Parameters = "parameters";
    public const string Secrets = "secrets";
    public const string Config = "config";

    /// <summary>A name as a key of values.yaml, where a hyphen would end it.</summary>
    public static string Key(string name) => name.Replace('-', '_');

    /// <summary>For example <c>{{ .Values.config.gateway.HTTP_PORTS }}</c>.</summary>
    public static string Expression(string section, string resource, string key) =>
        $"{{{{ .Values.{section}.{Key(resource)}.{Key(key)} }}}}";

    public static string ConfigMap(string resource) => $"{resource.ToLowerInvariant()}-config";

    public static string Secret(string resource) => $"{resource.ToLowerInvariant()}-secrets";

    public static string Service(string resource) => $"{resource.ToLowerInvariant()}-service";
}
