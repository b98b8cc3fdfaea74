namespace AgentPlatform.Tests.AppHost;

/// <summary>A test that needs a program on the machine, and is skipped with the reason if it is missing.</summary>
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

    /// <summary>Returns the full path of a program on the PATH, or null.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);
}
