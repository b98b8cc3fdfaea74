using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace AgentPlatform.Tests.Workflows;

/// <summary>
/// What holds for every workflow, since nothing here runs them: least rights, pinned actions, an end, and nothing named that is not there.
/// </summary>
public sealed partial class WorkflowTests
{
    private static IReadOnlyList<string> Files { get; } =
    [
        .. Directory.EnumerateFiles(Workflow.Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal),
    ];

    public static TheoryData<string> Names => [.. Files];

    [Fact]
    public void TheWorkflows_AreTheOnesThatTheDocumentationNames()
    {
        Assert.Equal(["ci.yml", "deploy.yml", "model-rollout.yml", "release.yml"], Files);

        var documentation = File.ReadAllText(Path.Combine(Repository.Root, "docs", "deploy.md"));
        Assert.All(Files, name => Assert.Contains($"../.github/workflows/{name}", documentation, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Names))]
    public void Actions_ArePinnedByDigestWithTheirVersionBeside(string name)
    {
        var workflow = Workflow.Read(name);

        Assert.All(workflow.Uses(), uses =>
        {
            if (uses.StartsWith("./", StringComparison.Ordinal))
            {
                Assert.True(File.Exists(Path.Combine(Repository.Root, uses)), $"{name} uses {uses}, which is not there.");
                return;
            }

            Assert.Matches(PinnedAction(), uses);
            Assert.Matches($"{Regex.Escape(uses)} # v[0-9]+\\.[0-9]+\\.[0-9]+", workflow.Text);
        });
    }

    [Fact]
    public void AnAction_HasOneDigestInAllWorkflows() =>
        Assert.All(
            Files.SelectMany(name => Workflow.Read(name).Uses()).Distinct().Where(uses => uses.Contains('@', StringComparison.Ordinal))
                .GroupBy(uses => uses.Split('@')[0]),
            digests => Assert.Single(digests));

    [Theory, MemberData(nameof(Names))]
    public void Jobs_NameTheirRightsAndEnd(string name)
    {
        var workflow = Workflow.Read(name);

        Assert.Empty(Assert.IsType<YamlMappingNode>(Workflow.Child(workflow.Root, "permissions")).Children);
        Assert.NotNull(Workflow.Child(workflow.Root, "concurrency"));
        Assert.NotEmpty(workflow.Jobs());
        Assert.All(workflow.Jobs(), job =>
        {
            Assert.IsType<YamlMappingNode>(Workflow.Child(job.Job, "permissions"));
            // A job that is another workflow has none: that one's jobs do.
            Assert.True(
                Workflow.Child(job.Job, "uses") is not null || Workflow.Child(job.Job, "timeout-minutes") is not null,
                $"{name}: the job {job.Id} has no timeout-minutes.");
        });
    }

    [Theory, MemberData(nameof(Names))]
    public void Checkouts_LeaveNoCredentialsBehind(string name) =>
        Assert.All(
            Workflow.Read(name).Steps()
                .Where(
                    step =>
                        Workflow.Child(step, "uses") is YamlScalarNode { Value: { } uses }
                            && uses.StartsWith("actions/checkout@", StringComparison.Ordinal)),
            step =>
                Assert.Equal(
                    "false",
                    (
                        Workflow.Child(
                            Assert.IsType<YamlMappingNode>(Workflow.Child(step, "with")),
                            "persist-credentials") as YamlScalarNode)?.Value));

    /// <summary>An expression is put into a script before the shell reads it, so what somebody enters would be run.</summary>
    [Theory, MemberData(nameof(Names))]
    public void Scripts_GetExpressionsByTheEnvironmentOnly(string name) =>
        Assert.All(Workflow.Read(name).Scripts(), script => Assert.DoesNotContain("${{", script, StringComparison.Ordinal));

    [Theory, MemberData(nameof(Names))]
    public void Scripts_NameWhatIsThere(string name) =>
        Assert.All(
            Workflow.Read(name).Scripts().SelectMany(script => PathOfTheRepository().Matches(script))
                .Select(path => path.Groups["path"].Value.TrimEnd('.')),
            path =>
            Assert.True(Path.Exists(Path.Combine(Repository.Root, path)), $"{name} names {path}, which is not there."));

    [Theory, MemberData(nameof(Names))]
    public void Scripts_SetOnlyValuesThatTheChartHas(string name)
    {
        var values = new YamlStream();
        values.Load(new StringReader(File.ReadAllText(Path.Combine(Repository.Root, "deploy", "chart", "values.yaml"))));

        Assert.All(
            Workflow.Read(name).Scripts().SelectMany(script => SetValue().Matches(script)).Select(set => set.Groups["key"].Value), key =>
        {
            YamlNode? node = values.Documents[0].RootNode;
            foreach (var part in key.Split('.'))
            {
                node = node is YamlMappingNode mapping ? Workflow.Child(mapping, part) : null;
            }

            Assert.True(node is YamlScalarNode, $"{name} sets {key}, which deploy/chart/values.yaml does not have.");
        });
    }

    /// <summary>Helm refuses to touch what somebody has patched by hand since, unless it is told to.</summary>
    [Fact]
    public void Changes_TakeBackWhatSomebodyHasPatched()
    {
        var commands = Files.SelectMany(name => Workflow.Read(name).Scripts())
            .SelectMany(script => ReleaseChange().Matches(script.Replace("\\\n", " ", StringComparison.Ordinal)))
                .Select(match => match.Value).ToList();

        Assert.True(commands.Count >= 5);
        Assert.All(commands, command => Assert.Contains(" --force-conflicts", command, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Names))]
    public void Scripts_BuildTargetsThatTheDockerfileHas(string name)
    {
        var workflow = Workflow.Read(name);
        if (workflow.Scripts().Any(script => ContainerBuild().IsMatch(script)))
        {
            var dockerfile = File.ReadAllText(Path.Combine(Repository.Root, "Dockerfile"));
            Assert.All(["gateway", "worker"], target => Assert.Matches($"(?m)^FROM .* AS {target}$", dockerfile));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Registries_AreNamedByVariablesOnly(string name) =>
        Assert.DoesNotMatch(RegistryHost(), Workflow.Read(name).Text);

    [GeneratedRegex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+(/[A-Za-z0-9._/-]+)?@[0-9a-f]{40}$")]
    private static partial Regex PinnedAction();

    [GeneratedRegex(@"(?<![\w$""/.:@=-])(\./)?(?<path>(\.ci|deploy|docs|eng|AgentPlatform\.\w+)(/[\w./-]+)?)(?![\w/-])")]
    private static partial Regex PathOfTheRepository();

    [GeneratedRegex(@"--set (?<key>[\w.]+)=")]
    private static partial Regex SetValue();

    [GeneratedRegex("helm (upgrade|rollback) .*")]
    private static partial Regex ReleaseChange();

    [GeneratedRegex("docker (buildx )?build ")]
    private static partial Regex ContainerBuild();

    [GeneratedRegex(@"\b(ghcr|docker|quay|gcr|mcr|azurecr)\.(io|com|microsoft)")]
    private static partial Regex RegistryHost();
}
