using System.Globalization;
using AgentPlatform.AppHost.Startup;
using Aspire.Hosting.Kubernetes.Resources;
using Aspire.Hosting.Pipelines;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>
/// The chart that is being published. Aspire writes every object; a step before and a step after it add what Aspire's files cannot express.
/// Not thread-safe: it is filled while the application model is built and published.
/// </summary>
internal sealed class KubernetesChart
{
    private const string Environment = "k8s";

    private readonly ChartFolder _folder;
    private readonly Dictionary<string, string> _conditions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _refusals = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _replacements = new(StringComparer.Ordinal);

    private KubernetesChart(KubernetesOptions options, ChartFolder folder) => (Options, _folder) = (options, folder);

    /// <summary>Settings of the chart.</summary>
    public KubernetesOptions Options { get; }

    /// <summary>The entries of values.yaml.</summary>
    public ChartValues Values { get; } = new();

    /// <summary>The template of the notes that Helm prints after an installation.</summary>
    public string Notes { get; set; } = "";

    /// <summary>Whether the chart was written completely. Aspire reports a failed step, but can still exit with code 0.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>
    /// Begins the chart if the application host was started with <c>--operation publish --step publish</c>; null otherwise.
    /// </summary>
    /// <exception cref="StartupException">
    /// The folder holds another chart. It is checked here because Aspire logs the exception of a step with its stack trace.
    /// </exception>
    public static KubernetesChart? Begin(IDistributedApplicationBuilder builder)
    {
        var isPublished = builder.ExecutionContext.IsPublishMode
            && string.Equals(builder.Configuration["Pipeline:Step"], "publish", StringComparison.OrdinalIgnoreCase);
        if (!isPublished)
        {
            return null;
        }

        var options = builder.ReadOptions(KubernetesOptions.Section, new KubernetesOptionsValidator());
        var folder = new ChartFolder(OutputPath.Of(builder), options.ChartName);
        folder.Check();
        var chart = new KubernetesChart(options, folder);
        builder.AddKubernetesEnvironment(Environment)
            .WithDashboard(false)
            .WithHelm(helm => helm
                .WithChartName(options.ChartName)
                .WithChartVersion(typeof(KubernetesChart).Assembly.GetName().Version!.ToString(fieldCount: 3))
                .WithChartDescription(
                    "Serves agents and language models: gateway, RabbitMQ, and pools of workers that KEDA scales on queue depth"));
        builder.Pipeline.AddStep("prepare-chart", chart.Prepare, requiredBy: $"publish-{Environment}");
        builder.Pipeline.AddStep("complete-chart", chart.CompleteAsync, dependsOn: $"publish-{Environment}", requiredBy: "publish");
        return chart;
    }

    /// <summary>Makes an object optional: Helm installs it only if <paramref name="condition"/> holds.</summary>
    /// <param name="condition">A condition of Helm's template language without braces, such as <c>.Values.ingress.enabled</c>.</param>
    /// <param name="owner">Name of the resource that the object belongs to.</param>
    /// <param name="item">The object, whose name must be set.</param>
    /// <returns><paramref name="item"/>.</returns>
    public T When<T>(string condition, string owner, T item) where T : BaseKubernetesResource
    {
        // The file that Aspire writes the object to.
        var name = item.Metadata.Name;
        var file = name.StartsWith($"{owner}-", StringComparison.Ordinal) ? name[(owner.Length + 1)..] : name;
        _conditions.Add(Path.Combine("templates", owner, $"{file}.yaml"), condition);
        return item;
    }

    /// <summary>A placeholder for an expression in a field that is a number in Aspire's types.</summary>
    /// <param name="expression">The expression, with its braces.</param>
    public int Number(string expression)
    {
        // No other number in the chart has ten digits.
        var number = 2_000_000_000 + _replacements.Count;
        Replace(number.ToString(CultureInfo.InvariantCulture), expression);
        return number;
    }

    /// <summary>Replaces a text in all objects by an expression, for fields whose types cannot hold one.</summary>
    public void Replace(string text, string by) => _replacements[text] = by;

    /// <summary>
    /// Prefixes the name of a cluster-scoped object with the namespace, since releases in other namespaces have an object of the same name.
    /// </summary>
    /// <param name="name">The name, which must not occur in any other text.</param>
    /// <returns><paramref name="name"/>.</returns>
    public string InCluster(string name)
    {
        Replace($": \"{name}\"", $": \"{{{{ .Release.Namespace }}}}-{name}\"");
        return name;
    }

    /// <summary>Has Helm reject a combination of values. Single values are checked by the schema.</summary>
    /// <param name="condition">The condition for rejecting them, in Helm's template language without braces.</param>
    /// <param name="sentence">The message: which values, and what is wrong or what to set.</param>
    public void Refuse(string condition, string sentence) => _refusals[condition] = sentence;

    /// <summary>Has Helm reject a minimum of replicas that is above the maximum.</summary>
    /// <param name="section">Section of values.yaml with <c>minReplicas</c> and <c>maxReplicas</c>.</param>
    public void RefuseMinAboveMax(string section) => Refuse(
        $"gt (int .Values.{section}.minReplicas) (int .Values.{section}.maxReplicas)",
        $"{section}.minReplicas is above {section}.maxReplicas.");

    /// <summary>
    /// Registers an image of the platform's. It is required and has no default: anyone could register a name that is not registered yet.
    /// </summary>
    /// <param name="part">The part of the platform; the entry is <c>images.PART</c>.</param>
    /// <param name="comment">The comment above the entry.</param>
    public string Image(string part, string comment)
    {
        Refuse(
            $"empty .Values.images.{part}",
            $"images.{part} names no image: build and push the {part}'s, as docs/images.md says, and set it, by its digest at best, "
            + $"such as registry.example/{part}@sha256:....");
        return Values.Text($"images.{part}", "", comment);
    }

    private Task Prepare(PipelineStepContext context)
    {
        _folder.Prepare();
        return Task.CompletedTask;
    }

    private async Task CompleteAsync(PipelineStepContext context)
    {
        var templates = new Dictionary<string, string>
        {
            ["refusals.yaml"] = string.Concat(_refusals.Select(refusal =>
                $"{{{{- if {refusal.Key} }}}}\n{{{{- fail `{refusal.Value}` }}}}\n{{{{- end }}}}\n")),
            ["NOTES.txt"] = Notes,
        };
        await _folder.CompleteAsync(Values, _conditions, templates, _replacements, context.CancellationToken);
        IsComplete = true;
    }
}
