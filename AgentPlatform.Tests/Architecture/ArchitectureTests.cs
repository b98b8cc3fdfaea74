using System.Reflection;
using System.Xml.Linq;

namespace AgentPlatform.Tests.Architecture;

/// <summary>The graph of projects and, inside each, of folders: docs/decisions/0011.</summary>
public sealed class ArchitectureTests
{
    private const string Prefix = "AgentPlatform.";

    // Tests, benchmarks, and what trains the models with the parts of the worker that run them.
    private static readonly string[] _testProjects = ["Tests", "Testing", "Benchmarks", "Training", "Trainer"];

    private static readonly Dictionary<string, string> _projectFiles =
        Directory.EnumerateFiles(Repository.Root, $"{Prefix}*.csproj", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file)[Prefix.Length..]);

    public static TheoryData<string, string> Projects => new()
    {
        { "Inference", "" },
        { "Messaging", "Inference" },
        { "Api", "Inference" },
        { "Client", "Inference Messaging" },
        { "ServiceDefaults", "" },
        { "OnnxChat", "Inference" },
        { "Gateway", "Inference Messaging Api Client ServiceDefaults" },
        { "Worker", "Inference Messaging Api Client OnnxChat ServiceDefaults" },
        { "AppHost", "Gateway Worker" },
        { "Training", "OnnxChat Worker" },
        { "Trainer", "Training" },
        { "Testing", "Training" },
        { "Benchmarks", "Gateway OnnxChat Worker Testing" },
    };

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_is_below_it(string project, string allowed)
    {
        var referenced = Items(project, "ProjectReference").Select(Path.GetFileNameWithoutExtension)
            .Where(name => name!.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name![Prefix.Length..]);

        Assert.Empty(referenced.Except(allowed.Split(' ')).Select(edge => $"{project} -> {edge}"));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void The_internals_of_a_project_are_for_tests(string project, string _) =>
        Assert.Empty(Items(project, "InternalsVisibleTo").Select(name => name[Prefix.Length..]).Except(_testProjects));

    [Theory]
    [InlineData("Inference")]
    [InlineData("Messaging")]
    [InlineData("Client")]
    [InlineData("OnnxChat")]
    public void What_a_program_without_a_server_uses_needs_no_ASP_NET_Core(string project) =>
        Assert.Empty(Items(project, "FrameworkReference"));

    [Fact]
    public void No_project_compiles_the_files_of_another() => Assert.Empty(
        from project in _projectFiles.Keys
        from files in Items(project, "Compile")
        where files.Contains("..", StringComparison.Ordinal)
        select $"{project} -> {files}");

    [Fact]
    public void The_template_engine_depends_on_nothing_of_ours() => Assert.Empty(
        TypeUses.In(Assembly.Load(Prefix + "OnnxChat"))
            .Where(use => use.User.Namespace == $"{Prefix}OnnxChat.Templates" && use.Used.Namespace != use.User.Namespace
                && use.Used.Assembly.GetName().Name!.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(use => $"{use.User.Name} -> {use.Used.FullName}"));

    private static IEnumerable<string> Items(string project, string item) =>
        XDocument.Load(_projectFiles[project]).Descendants(item).Attributes("Include").Select(include => include.Value);

    /// <summary>Another broker is another folder.</summary>
    [Theory]
    [InlineData("Messaging")]
    [InlineData("Client")]
    [InlineData("Gateway")]
    [InlineData("Worker")]
    public void RabbitMQ_is_used_in_its_folder_only(string project)
    {
        var uses = TypeUses.In(Assembly.Load(Prefix + project))
            .Where(use => use.Used.Assembly.GetName().Name is "RabbitMQ.Client" or "Aspire.RabbitMQ.Client"
                && use.User.Namespace != "AgentPlatform.Messaging.RabbitMQ");

        Assert.Empty(uses.Select(use => $"{use.User} -> {use.Used}").Distinct());
    }

    /// <summary>Rooms are namespaces, which follow the folders. Each must be understandable by what is below it.</summary>
    [Theory]
    [InlineData("Inference")]
    [InlineData("Messaging")]
    [InlineData("Api")]
    [InlineData("Client")]
    [InlineData("Gateway")]
    [InlineData("OnnxChat")]
    [InlineData("Worker")]
    [InlineData("AppHost")]
    public void The_folders_of_a_project_form_no_cycle(string project)
    {
        var uses = TypeUses.In(Assembly.Load(Prefix + project))
            .Where(use => use.User.Assembly == use.Used.Assembly && use.User.Namespace != use.Used.Namespace)
            .ToLookup(use => use.User.Namespace!, use => (To: use.Used.Namespace!, Example: $"{use.User.Name} -> {use.Used.Name}"));
        var below = uses.ToDictionary(room => room.Key, room => Reachable(room.Key));

        var knots = from room in uses
                    from use in room
                    where below.TryGetValue(use.To, out var fromThere) && fromThere.Contains(room.Key)
                    select $"{room.Key} => {use.To}: {use.Example}";
        Assert.Empty(knots.Distinct());

        HashSet<string> Reachable(string room)
        {
            var found = new HashSet<string>(StringComparer.Ordinal);
            var next = new Queue<string>([room]);
            while (next.TryDequeue(out var from))
            {
                foreach (var use in uses[from].Where(use => found.Add(use.To)))
                {
                    next.Enqueue(use.To);
                }
            }

            return found;
        }
    }
}
