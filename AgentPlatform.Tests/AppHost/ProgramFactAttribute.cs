namespace AgentPlatform.Tests.AppHost;

/// <summary>A test that needs a program of the machine, left out with the reason where it is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ProgramFactAttribute : FactAttribute
{
    public ProgramFactAttribute(string program, string package)
    {
        if (Find(program) is null)
        {
            Skip = $"There is no {program} on this machine (apt-get install {package}).";
        }
    }

    /// <summary>Full path of a program on the PATH.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
