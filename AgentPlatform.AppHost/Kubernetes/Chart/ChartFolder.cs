using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Startup;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>
/// The folder that a chart is published into. Before Aspire writes, the objects of the previous chart are removed, and nothing else.
/// Afterwards values.yaml gets the entries of <see cref="ChartValues"/>, and objects get their conditions.
/// </summary>
internal sealed partial class ChartFolder(string path, string chartName)
{
    // The first version with native sidecars and the preStop action "sleep" by default.
    private const string KubeVersion = ">= 1.30.0-0";

    private readonly string _chart = Path.Combine(path, "Chart.yaml");
    private readonly string _values = Path.Combine(path, "values.yaml");
    private readonly string _templates = Path.Combine(path, "templates");

    /// <summary>Makes sure that no other chart is overwritten.</summary>
    /// <exception cref="StartupException">The folder holds a chart of another name, or a Chart.yaml that cannot be read.</exception>
    public void Check()
    {
        try
        {
            var name = File.Exists(_chart) ? NameOf(_chart) : chartName;
            if (name != chartName)
            {
                throw new StartupException(
                    $"The folder {path} holds the chart '{name}': publish into another one with --output-path, "
                    + "or set Kubernetes:ChartName.");
            }
        }
        catch (YamlException e)
        {
            throw new StartupException(
                $"The folder {path} holds a Chart.yaml that cannot be read, publish into another one with --output-path: {e.Message}");
        }
    }

    /// <summary>Removes the objects of an earlier chart of the same name.</summary>
    public void Prepare()
    {
        // Aspire writes templates/RESOURCE/OBJECT.yaml. All other files are the user's.
        foreach (var folder in Directory.Exists(_templates) ? Directory.EnumerateDirectories(_templates) : [])
        {
            foreach (var file in Directory.EnumerateFiles(folder, "*.yaml"))
            {
                File.Delete(file);
            }

            if (!Directory.EnumerateFileSystemEntries(folder).Any())
            {
                Directory.Delete(folder);
            }
        }
    }

    /// <summary>Completes the chart that Aspire wrote.</summary>
    /// <param name="values">The entries of values.yaml.</param>
    /// <param name="conditions">The conditions of optional objects, by the object's file.</param>
    /// <param name="templates">The text of templates that are not objects, by file name.</param>
    /// <param name="replacements">Expressions, by the placeholder that objects have for them.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task CompleteAsync(
        ChartValues values, IReadOnlyDictionary<string, string> conditions, IReadOnlyDictionary<string, string> templates,
        IReadOnlyDictionary<string, string> replacements, CancellationToken cancellationToken)
    {
        foreach (var (name, text) in templates.Append(new(HelmFunctions.File, HelmFunctions.Text)))
        {
            await File.WriteAllTextAsync(Path.Combine(_templates, name), text, cancellationToken);
        }

        foreach (var (file, condition) in conditions)
        {
            var text = await File.ReadAllTextAsync(Path.Combine(path, file), cancellationToken);
            await File.WriteAllTextAsync(Path.Combine(path, file), $"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n", cancellationToken);
        }

        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(_templates, "*.yaml", SearchOption.AllDirectories))
        {
            var text = replacements.Aggregate(
                await File.ReadAllTextAsync(file, cancellationToken),
                static (text, entry) => text.Replace(entry.Key, entry.Value, StringComparison.Ordinal));
            text = HelmFunctions.EscapeTexts(Whole().Replace(text, "$1 $2"));
            await File.WriteAllTextAsync(file, text, cancellationToken);
            used.UnionWith(Reference().Matches(text).Select(match => match.Groups[1].Value));
        }

        var document = new ValuesDocument(values, (YamlMappingNode)Load(_values)!, used);
        var missing = used.Where(value => !document.Has(value)).Order(StringComparer.Ordinal).ToList();
        if (missing.Count > 0)
        {
            throw new InvalidOperationException($"The chart uses values that values.yaml does not have: {string.Join(", ", missing)}.");
        }

        await File.WriteAllTextAsync(_values, document.Write(), cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(path, "values.schema.json"), document.WriteSchema(), cancellationToken);
        var chart = await File.ReadAllTextAsync(_chart, cancellationToken);
        await File.WriteAllTextAsync(_chart, KubeVersionLine().Replace(chart, $"kubeVersion: \"{KubeVersion}\""), cancellationToken);
    }

    private static string? NameOf(string chart) =>
        Load(chart) is YamlMappingNode map && map.Children.TryGetValue("name", out var name) ? name.ToString() : null;

    private static YamlNode? Load(string file)
    {
        using var reader = new StreamReader(file);
        var yaml = new YamlStream();
        yaml.Load(reader);
        return yaml.Documents.FirstOrDefault()?.RootNode;
    }

    // ".Values.pools.tiny_chat.maxReplicas"
    [GeneratedRegex(@"\.Values\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")]
    private static partial Regex Reference();

    // A map or a list whose only entry is an expression for the whole:
    //   tolerations:
    //     - key: "{{ .Values.gateway.tolerations | toJson }}"
    [GeneratedRegex(@"^( *(?:- )?\w+:)\n +(?:- )?\w+: ""(\{\{ [^""{}]* \| toJson \}\})""$", RegexOptions.Multiline)]
    private static partial Regex Whole();

    [GeneratedRegex("^kubeVersion: .*$", RegexOptions.Multiline)]
    private static partial Regex KubeVersionLine();
}
