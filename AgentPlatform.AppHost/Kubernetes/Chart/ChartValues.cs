using System.Globalization;
using System.Text.Json.Nodes;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

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

    /// <summary>A text of a certain form.</summary>
    /// <param name="path">Where it is in values.yaml.</param>
    /// <param name="value">Its default.</param>
    /// <param name="comment">What it is for.</param>
    /// <param name="pattern">A regular expression of the whole; Helm refuses what does not match.</param>
    public string Text(string path, string value, string comment, string pattern) => $"{{{{ {Add(path, value, comment, new() { ["type"] = "string", ["pattern"] = pattern })} }}}}";

    /// <summary>A whole number in a range.</summary>
    public string Number(string path, int value, string comment, int least = 0, int most = int.MaxValue) => $"{{{{ {Add(path, value, comment, Range(least, most))} | int }}}}";

    /// <summary>One of some numbers; the path, for use in a longer expression.</summary>
    public string OneOf(string path, int value, string comment, params int[] allowed) =>
        Add(path, value, comment, new() { ["enum"] = new JsonArray([.. allowed.Select(number => (JsonNode)number)]) });

    /// <summary>A number, above zero, where the template wants a text, such as a quantity that is usually one.</summary>
    public string NumberText(string path, int value, string comment) => $"{{{{ {Add(path, value, comment, Range(1, int.MaxValue))} | int | toString }}}}";

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

    /// <summary>The same for one of some texts.</summary>
    public string OneOf(string path, string value, string comment, params string[] allowed) =>
        Add(path, value, comment, new() { ["enum"] = new JsonArray([.. allowed.Select(text => (JsonNode)text)]) });

    private static JsonObject Range(int least, int most) => most == int.MaxValue ? new() { ["minimum"] = least } : new() { ["minimum"] = least, ["maximum"] = most };

    private string Add(string path, object value, string comment, JsonObject? limits = null)
    {
        if (!_values.TryGetValue(path, out var known))
        {
            _values.Add(path, new ChartValue(value, comment, limits));
        }
        else if (!known.Value.Equals(value) && !(known.Value is JsonNode node && JsonNode.DeepEquals(node, value as JsonNode)))
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"The chart's value {path} has two defaults, {known.Value} and {value}."));
        }

        return $".Values.{path}";
    }
}
