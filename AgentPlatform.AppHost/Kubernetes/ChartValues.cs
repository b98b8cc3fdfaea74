using System.Globalization;
using System.Text.Json.Nodes;

namespace AgentPlatform.AppHost.Kubernetes;

/// <summary>One value of values.yaml.</summary>
/// <param name="Value">Its default: a text, a number, a truth value, or a whole map or list.</param>
/// <param name="Comment">What it is for; stands above it.</param>
internal sealed record ChartValue(object Value, string Comment);

/// <summary>
/// What a person can set when the chart is installed. Registering a value gives the expression that stands for it in a template, so no
/// template names a value that values.yaml does not have.
/// </summary>
internal sealed class ChartValues
{
    private readonly Dictionary<string, ChartValue> _values = new(StringComparer.Ordinal);

    /// <summary>Path to value, such as <c>pools.tiny_chat.maxReplicas</c>, in the order of registration.</summary>
    public IReadOnlyDictionary<string, ChartValue> All => _values;

    /// <summary>A name as a part of a path, where a hyphen would end the expression.</summary>
    public static string Key(string name) => name.Replace('-', '_');

    /// <summary>A text; the expression is put into quotes by whoever writes it.</summary>
    public string Text(string path, string value, string comment) => $"{{{{ {Add(path, value, comment)} }}}}";

    /// <summary>A whole number.</summary>
    public string Number(string path, int value, string comment) => $"{{{{ {Add(path, value, comment)} | int }}}}";

    /// <summary>A number where the template wants a text, such as a quantity that is usually one.</summary>
    public string NumberText(string path, int value, string comment) => $"{{{{ {Add(path, value, comment)} | int | toString }}}}";

    /// <summary>A text that may be left empty, and then is not set at all.</summary>
    public string Optional(string path, string comment)
    {
        var value = Add(path, "", comment);
        return $"{{{{ if {value} }}}}{{{{ {value} | quote }}}}{{{{ else }}}}null{{{{ end }}}}";
    }

    /// <summary>A map or a list that stands as it is; <see cref="ChartFolder"/> puts the expression, the only entry of one, in the place of the whole.</summary>
    public string Whole(string path, JsonNode value, string comment) => $"{{{{ {Add(path, value, comment)} | toJson }}}}";

    /// <summary>A value for use in a longer expression, or as the condition of a whole object (<see cref="KubernetesChart.When"/>): <c>.Values.ingress.enabled</c>.</summary>
    public string Path(string path, object value, string comment) => Add(path, value, comment);

    private string Add(string path, object value, string comment)
    {
        if (!_values.TryGetValue(path, out var known))
        {
            _values.Add(path, new ChartValue(value, comment));
        }
        else if (!known.Value.Equals(value) && !(known.Value is JsonNode node && JsonNode.DeepEquals(node, value as JsonNode)))
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"The chart's value {path} has two defaults, {known.Value} and {value}."));
        }

        return $".Values.{path}";
    }
}
