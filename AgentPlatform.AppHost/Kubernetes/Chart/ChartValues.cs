using System.Globalization;
using System.Text.Json.Nodes;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>
/// The entries of values.yaml. Each method registers an entry and returns the expression that stands for it in a template, so that no
/// template refers to an entry that does not exist.
/// </summary>
internal sealed class ChartValues
{
    private readonly Dictionary<string, ChartValue> _values = new(StringComparer.Ordinal);

    /// <summary>The entries by path, such as <c>pools.tiny_chat.maxReplicas</c>, in the order of registration.</summary>
    public IReadOnlyDictionary<string, ChartValue> All => _values;

    /// <summary>Makes a name usable in a path, where a hyphen would end the expression.</summary>
    public static string Key(string name) => name.Replace('-', '_');

    /// <summary>Registers a string. The publisher puts the expression between quotes.</summary>
    public string Text(string path, string value, string comment) => $"{{{{ {Add(path, value, comment)} }}}}";

    /// <summary>Registers a string of a given format.</summary>
    /// <param name="path">Path in values.yaml.</param>
    /// <param name="value">The default.</param>
    /// <param name="comment">The comment above the entry.</param>
    /// <param name="pattern">A regular expression for the whole string; Helm rejects values that do not match.</param>
    public string Text(string path, string value, string comment, string pattern) =>
        $"{{{{ {Add(path, value, comment, new() { ["type"] = "string", ["pattern"] = pattern })} }}}}";

    /// <summary>Registers an integer in a range.</summary>
    public string Number(string path, int value, string comment, int min = 0, int max = int.MaxValue) =>
        $"{{{{ {Add(path, value, comment, Range(min, max))} | int }}}}";

    /// <summary>Registers one of several integers; returns its path, for use in a longer expression.</summary>
    public string OneOf(string path, int value, string comment, params int[] allowed) =>
        Add(path, value, comment, new() { ["enum"] = new JsonArray([.. allowed.Select(number => (JsonNode)number)]) });

    /// <summary>Registers a positive integer for a field that is a string, such as the threshold of a KEDA trigger.</summary>
    public string NumberText(string path, int value, string comment) =>
        $"{{{{ {Add(path, value, comment, Range(1, int.MaxValue))} | int | toString }}}}";

    /// <summary>Registers a string that may be empty, in which case the field is not set.</summary>
    public string Optional(string path, string comment)
    {
        var value = Add(path, "", comment);
        return $"{{{{ if {value} }}}}{{{{ {value} | quote }}}}{{{{ else }}}}null{{{{ end }}}}";
    }

    /// <summary>
    /// Registers a map or a list that is copied as it is. The expression must be the only entry of the object's map or list;
    /// <see cref="ChartFolder"/> replaces the whole by it.
    /// </summary>
    public string Whole(string path, JsonNode value, string comment) => $"{{{{ {Add(path, value, comment)} | toJson }}}}";

    /// <summary>
    /// Registers an entry for use in a longer expression or as the condition of an object (<see cref="KubernetesChart.When"/>); returns its
    /// path, such as <c>.Values.ingress.enabled</c>.
    /// </summary>
    public string Path(string path, object value, string comment) => Add(path, value, comment);

    /// <summary>Registers one of several strings; returns its path, for use in a longer expression.</summary>
    public string OneOf(string path, string value, string comment, params string[] allowed) =>
        Add(path, value, comment, new() { ["enum"] = new JsonArray([.. allowed.Select(text => (JsonNode)text)]) });

    private static JsonObject Range(int min, int max) =>
        max == int.MaxValue ? new() { ["minimum"] = min } : new() { ["minimum"] = min, ["maximum"] = max };

    private string Add(string path, object value, string comment, JsonObject? limits = null)
    {
        if (!_values.TryGetValue(path, out var known))
        {
            _values.Add(path, new ChartValue(value, comment, limits));
        }
        else if (!known.Value.Equals(value) && !(known.Value is JsonNode node && JsonNode.DeepEquals(node, value as JsonNode)))
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture, $"The chart's value {path} has two defaults, {known.Value} and {value}."));
        }

        return $".Values.{path}";
    }
}
