using YamlDotNet.RepresentationModel;

namespace AgentPlatform.Tests.Workflows;

/// <summary>A file of .github/workflows.</summary>
internal sealed class Workflow
{
    private Workflow(string name, string text, YamlMappingNode root) => (Name, Text, Root) = (name, text, root);

    /// <summary>Folder of all of them.</summary>
    public static string Folder { get; } = Path.Combine(Repository.Root, ".github", "workflows");

    public string Name { get; }

    public string Text { get; }

    public YamlMappingNode Root { get; }

    public static Workflow Read(string name)
    {
        var text = File.ReadAllText(Path.Combine(Folder, name));
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return new(name, text, Assert.IsType<YamlMappingNode>(Assert.Single(stream.Documents).RootNode));
    }

    /// <summary>Jobs by their ids.</summary>
    public IEnumerable<(string Id, YamlMappingNode Job)> Jobs() =>
        ((YamlMappingNode)Root["jobs"]).Children.Select(job => ((string)job.Key!, (YamlMappingNode)job.Value));

    public IEnumerable<YamlMappingNode> Steps() =>
        Jobs().SelectMany(job => Child(job.Job, "steps") is YamlSequenceNode steps ? steps.Children : Enumerable.Empty<YamlNode>())
            .Cast<YamlMappingNode>();

    /// <summary>Actions and workflows that jobs and steps use.</summary>
    public IEnumerable<string> Uses() =>
        Jobs().Select(job => job.Job).Concat(Steps()).Select(item => Child(item, "uses")).OfType<YamlScalarNode>()
            .Select(uses => uses.Value!);

    /// <summary>Scripts of the steps, with lines that go on joined.</summary>
    public IEnumerable<string> Scripts() =>
        Steps().Select(step => Child(step, "run")).OfType<YamlScalarNode>()
            .Select(run => run.Value!.Replace("\\\n", " ", StringComparison.Ordinal));

    public static YamlNode? Child(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;
}
