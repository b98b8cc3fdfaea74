using System.Diagnostics;

namespace AgentPlatform.Tests.Cluster;

/// <summary>The command line of a container engine that answers: <c>docker</c>, with the engine that <c>DOCKER_HOST</c> names.</summary>
internal static class ContainerEngine
{
    private static readonly Lazy<bool> _answers = new(static () => AppHost.ProgramFactAttribute.Find("docker") is not null && Run("docker", ["info"]).ExitCode == 0);

    /// <summary>Whether one answers.</summary>
    public static bool Answers => _answers.Value;

    /// <summary>Runs a command of the engine; gives what it wrote, or fails with it.</summary>
    public static string Docker(params string[] arguments) => Checked("docker", arguments);

    /// <summary>What a container has written.</summary>
    public static string Logs(string container)
    {
        var (_, output, error) = Run("docker", ["logs", container]);
        return output + error;
    }

    /// <summary>Runs a program in the repository's folder; gives what it wrote, or fails with it.</summary>
    public static string Checked(string program, params string[] arguments)
    {
        var (exitCode, output, error) = Run(program, arguments);
        return exitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {exitCode}: {output} {error}");
    }

    private static (int ExitCode, string Output, string Error) Run(string program, string[] arguments)
    {
        var start = TiedProcess.StartInfo(program, arguments);
        start.WorkingDirectory = Repository.Root;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.WaitForExit();
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
