namespace AgentPlatform.Tests.Cluster;

/// <summary>The command line of a container engine that answers: <c>docker</c>, with the engine that <c>DOCKER_HOST</c> names.</summary>
internal static class ContainerEngine
{
    /// <summary>When a command of the engine is taken for hung.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(3);

    private static readonly Lazy<bool> _answers = new(
        static () => AppHost.ProgramFactAttribute.Find("docker") is not null && Run(_patience, "docker", "info").ExitCode == 0);

    /// <summary>Whether one answers.</summary>
    public static bool Answers => _answers.Value;

    /// <summary>Runs a command of the engine; gives what it wrote, or fails with it.</summary>
    public static string Docker(params string[] arguments) => Checked(_patience, "docker", arguments);

    /// <summary>What a container has written.</summary>
    public static string Logs(string container)
    {
        var logs = Run(_patience, "docker", "logs", container);
        return logs.Output + logs.Errors;
    }

    /// <summary>Runs a program in the repository's folder; gives what it wrote, or fails with it.</summary>
    public static string Checked(TimeSpan limit, string program, params string[] arguments) =>
        Run(limit, program, arguments).Checked().Trim();

    private static EndedProcess Run(TimeSpan limit, string program, params string[] arguments) =>
        TiedProcess.RunAsync(limit, program, arguments, static start => start.WorkingDirectory = Repository.Root).GetAwaiter().GetResult();
}

/// <summary>A test that needs a container engine, left out where none answers.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ContainerFactAttribute : FactAttribute
{
    public ContainerFactAttribute()
    {
        if (!ContainerEngine.Answers)
        {
            Skip = "No container engine answers (eng/with-container-engine.sh dotnet test starts one).";
        }
    }
}
