namespace AgentPlatform.Tests.Offline;

/// <summary>The stand-ins for Aspire stay as small as their use: a public member that nobody calls is one to delete.</summary>
public sealed class StandInSurfaceTests
{
    private static readonly string[] _standIns = ["Aspire.Hosting", "Aspire.Hosting.RabbitMQ", "Aspire.Hosting.Kubernetes", "Aspire.RabbitMQ.Client"];
    private static readonly string[] _consumers = ["AgentPlatform.AppHost", "AgentPlatform.Messaging", "AgentPlatform.Gateway", "AgentPlatform.Worker", "AgentPlatform.Tests"];

    [Fact]
    public void PublicMembers_OfStandIns_AreAllUsed()
    {
        var standIns = _standIns.Select(name => (Name: name, Members: new AssemblyMembers(Output(Path.Combine("offline", name), name)))).ToList();
        var consumers = _consumers.Select(name => (Name: name, Members: new AssemblyMembers(Output(name, name)))).ToList();

        var interfaces = standIns.SelectMany(standIn => standIn.Members.InterfaceMethods()).ToLookup(method => method.Type, method => method.Method);
        var unused = new List<string>();
        foreach (var (name, members) in standIns)
        {
            // A stand-in may serve another one, as Aspire's packages do.
            var readers = consumers.Concat(standIns).Where(reader => reader.Name != name).Select(reader => reader.Members).ToList();
            var used = readers.SelectMany(reader => reader.Used()).ToHashSet();

            // Fields of Kubernetes objects that the stand-in fills in by itself are read by what writes them as YAML.
            used.UnionWith(members.UsedWithin().Where(member => member.Type.StartsWith("Aspire.Hosting.Kubernetes.Resources.", StringComparison.Ordinal)));
            var defined = readers.SelectMany(reader => reader.Defined()).ToHashSet(StringComparer.Ordinal);
            unused.AddRange(members.Public(interfaces)
                .Distinct()
                .Where(member => !used.Contains(member) && !IsConstructorOfUsed(member, used) && !IsImplemented(members, member, defined))
                .Select(member => member.ToString()));
        }

        standIns.Concat(consumers).ToList().ForEach(assembly => assembly.Members.Dispose());
        Assert.True(unused.Count == 0, $"Nobody uses:{Environment.NewLine}{string.Join(Environment.NewLine, unused)}");
    }

    /// <summary>A constructor comes with a type that is handed out, and adds nothing to it.</summary>
    private static bool IsConstructorOfUsed(Member member, HashSet<Member> used) => member.Name == ".ctor" && used.Contains(new Member(member.Type, "", 0));

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
        Assert.True(File.Exists(path), $"{path} is missing: build AgentPlatform.sln without UseAspire.");
        return path;
    }
}
