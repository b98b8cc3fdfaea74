namespace AgentPlatform.Testing;

/// <summary>The folder of this repository.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    private static string Find(string? folder) =>
        folder is null ? throw new InvalidOperationException("The tests do not run inside the repository.")
        : File.Exists(Path.Combine(folder, "AgentPlatform.sln")) ? folder
        : Find(Path.GetDirectoryName(folder));
}
