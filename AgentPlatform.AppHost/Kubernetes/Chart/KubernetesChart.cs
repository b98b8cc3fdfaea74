using System.Globalization;
using AgentPlatform.AppHost.Startup;
using Aspire.Hosting.Kubernetes.Resources;
using Aspire.Hosting.Pipelines;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>The chart that is being published. Aspire writes every object; what its own files cannot say is added in a step before and one after it.</summary>
internal sealed class KubernetesChart
{
    private const string Environment = "k8s";

    private readonly ChartFolder _folder;
    private readonly Dictionary<string, string> _conditions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _refusals = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _replacements = new(StringComparer.Ordinal);

    private KubernetesChart(KubernetesOptions options, ChartFolder folder) => (Options, _folder) = (options, folder);

    /// <summary>What it is made like.</summary>
    public KubernetesOptions Options { get; }

    /// <summary>What can be set when it is installed.</summary>
    public ChartValues Values { get; } = new();

    /// <summary>What Helm prints after an installation, in Helm's language.</summary>
    public string Notes { get; set; } = "";

    /// <summary>Whether it was written wholly. Aspire reports a step that failed, but can end with exit code 0.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Begins the chart, if one is to be published: <c>--operation publish --step publish</c>.</summary>
    /// <exception cref="StartupException">
    /// The folder holds another chart. Said here, because Aspire logs what a step throws with all its stack.
    /// </exception>
    public static KubernetesChart? Begin(IDistributedApplicationBuilder builder)
    {
        if (!builder.ExecutionContext.IsPublishMode || !string.Equals(builder.Configuration["Pipeline:Step"], "publish", StringComparison.OrdinalIgnoreCase))
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
                .WithChartDescription("Serves agents and language models: gateway, RabbitMQ, and pools of workers that KEDA scales on queue depth"));
        builder.Pipeline.AddStep("prepare-chart", chart.Prepare, requiredBy: $"publish-{Environment}");
        builder.Pipeline.AddStep("complete-chart", chart.CompleteAsync, dependsOn: $"publish-{Environment}", requiredBy: "publish");
        return chart;
    }

    /// <summary>Installs an object only where <paramref name="condition"/> holds, such as <c>.Values.ingress.enabled</c>.</summary>
    /// <param name="condition">A condition in Helm's language, without braces.</param>
    /// <param name="owner">The resource that the object belongs to.</param>
    /// <param name="item">The object, which has its name.</param>
    public T When<T>(string condition, string owner, T item) where T : BaseKubernetesResource
    {
        // The file that Aspire writes it to.
        var name = item.Metadata.Name;
        var file = name.StartsWith($"{owner}-", StringComparison.Ordinal) ? name[(owner.Length + 1)..] : name;
        _conditions.Add(Path.Combine("templates", owner, $"{file}.yaml"), condition);
        return item;
    }

    /// <summary>A number for a field that Aspire has as one, which Helm gives by an expression.</summary>
    /// <param name="expression">The expression, in Helm's language, with its braces.</param>
    public int Number(string expression)
    {
        // Of ten digits, which no number of ours has.
        var number = 2_000_000_000 + _replacements.Count;
        Replace(number.ToString(CultureInfo.InvariantCulture), expression);
        return number;
    }

    /// <summary>Puts an expression in the place of a text of objects, for fields whose types have no room for one.</summary>
    public void Replace(string text, string by) => _replacements[text] = by;

    /// <summary>
    /// Puts the namespace before the name of an object that belongs to no namespace, since another one's release has the same.
    /// </summary>
    /// <param name="name">The name, which no other text contains.</param>
    public string InCluster(string name)
    {
        Replace($": \"{name}\"", $": \"{{{{ .Release.Namespace }}}}-{name}\"");
        return name;
    }

    /// <summary>Has Helm refuse values that do not go together; those that are wrong by themselves their schema refuses.</summary>
    /// <param name="condition">When they do not, in Helm's language, without braces.</param>
    /// <param name="sentence">Which values, and what is wrong or what to set.</param>
    public void Refuse(string condition, string sentence) => _refusals[condition] = sentence;

    /// <summary>The same for replicas at least that are more than those at most.</summary>
    /// <param name="section">Section of values.yaml that has <c>minReplicas</c> and <c>maxReplicas</c>.</param>
    public void RefuseMinAboveMax(string section) => Refuse($"gt (int .Values.{section}.minReplicas) (int .Values.{section}.maxReplicas)", $"{section}.minReplicas is above {section}.maxReplicas.");

    /// <summary>An image of ours, which has no default: a name that nobody has registered could be anybody's.</summary>
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
            ["refusals.yaml"] = string.Concat(_refusals.Select(refusal => $"{{{{- if {refusal.Key} }}}}\n{{{{- fail `{refusal.Value}` }}}}\n{{{{- end }}}}\n")),
            ["NOTES.txt"] = Notes,
        };
        await _folder.CompleteAsync(Values, _conditions, templates, _replacements, context.CancellationToken);
        IsComplete = true;
    }
}
