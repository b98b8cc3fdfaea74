using System.Diagnostics;

namespace AgentPlatform.Tests.Cluster;

/// <summary>The command line of a container engine that answers: <c>docker</c>, with the engine that <c>DOCKER_HOST</c> names.</summary>
internal static class ContainerEngine
{
    /// <summary>When a command of the engine is taken for hung.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(3);

    private static readonly Lazy<bool> _answers = new(static () => AppHost.ProgramFactAttribute.Find("docker") is not null && Run("docker", ["info"], _patience).ExitCode == 0);

    /// <summary>Whether one answers.</summary>
    public static bool Answers => _answers.Value;

    /// <summary>Runs a command of the engine; gives what it wrote, or fails with it.</summary>
    public static string Docker(params string[] arguments) => Checked(_patience, "docker", arguments);

    /// <summary>What a container has written.</summary>
    public static string Logs(string container)
    {
        var (_, output, error) = Run("docker", ["logs", container], _patience);
        return output + error;
    }

    /// <summary>Runs a program in the repository's folder; gives what it wrote, or fails with it.</summary>
    public static string Checked(TimeSpan limit, string program, params string[] arguments)
    {
        var (exitCode, output, error) = Run(program, arguments, limit);
        return exitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {exitCode}: {output} {error}");
    }

    private static (int ExitCode, string Output, string Error) Run(string program, string[] arguments, TimeSpan limit)
    {
        var start = TiedProcess.StartInfo(program, arguments);
        start.WorkingDirectory = Repository.Root;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} has not ended after {limit}.");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
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
