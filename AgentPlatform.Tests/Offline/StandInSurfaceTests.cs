namespace AgentPlatform.Tests.Offline;

/// <summary>
/// The stand-in for Aspire.Hosting.Kubernetes stays as small as its use: a public member that nobody calls is one to delete.
/// </summary>
public sealed class StandInSurfaceTests
{
    private const string StandIn = "Aspire.Hosting.Kubernetes";

    private static readonly string[] _consumers = ["AgentPlatform.AppHost", "AgentPlatform.Tests"];

    [Fact]
    public void PublicMembers_OfTheStandIn_AreAllUsed()
    {
        using var standIn = new AssemblyMembers(Output(Path.Combine("offline", StandIn), StandIn));
        var consumers = _consumers.Select(name => new AssemblyMembers(Output(name, name))).ToList();

        var interfaces = standIn.InterfaceMethods().ToLookup(method => method.Type, method => method.Method);
        var used = consumers.SelectMany(consumer => consumer.Used()).ToHashSet();
        // Fields of Kubernetes objects that the stand-in fills in by itself are read by what writes them as YAML.
        used.UnionWith(standIn.UsedWithin().Where(member => member.Type.StartsWith($"{StandIn}.Resources.", StringComparison.Ordinal)));
        var defined = consumers.SelectMany(consumer => consumer.Defined()).ToHashSet(StringComparer.Ordinal);
        var unused = standIn.Public(interfaces)
            .Distinct()
            .Where(member => !used.Contains(member) && !IsConstructorOfUsed(member, used) && !IsImplemented(standIn, member, defined))
            .Select(member => member.ToString())
            .ToList();

        consumers.ForEach(consumer => consumer.Dispose());
        Assert.True(unused.Count == 0, $"Nobody uses:{Environment.NewLine}{string.Join(Environment.NewLine, unused)}");
    }

    /// <summary>A constructor comes with a type that is handed out, and adds nothing to it.</summary>
    private static bool IsConstructorOfUsed(Member member, HashSet<Member> used) =>
        member.Name == ".ctor" && used.Contains(new Member(member.Type, "", 0));

    /// <summary>A member of an interface is used by whoever implements it.</summary>
    private static bool IsImplemented(AssemblyMembers owner, Member member, HashSet<string> defined) =>
        owner.IsInterface(member.Type) && (defined.Contains(member.Name) || defined.Contains($"get_{member.Name}"));

    /// <summary>The assembly that the same build made of a project: bin/CONFIGURATION/FRAMEWORK, like this one.</summary>
    private static string Output(string project, string assembly)
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        var root = own;
        while (!File.Exists(Path.Combine(root.FullName, "AgentPlatform.sln")))
        {
            root = root.Parent ?? throw new InvalidOperationException($"No AgentPlatform.sln above {own}.");
        }

        var path = Path.Combine(root.FullName, project, "bin", own.Parent!.Name, own.Name, $"{assembly}.dll");
        Assert.True(File.Exists(path), $"{path} is missing: build AgentPlatform.sln without UseAspireKubernetes.");
        return path;
    }
}
