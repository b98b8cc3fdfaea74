namespace AgentPlatform.AppHost.Processes;

/// <summary>Starts projects from their build output instead of with <c>dotnet run</c>.</summary>
internal static class DirectStart
{
    /// <summary>
    /// Starts a project of a local run with <c>dotnet exec</c>: one process less per replica, a faster start, and signals that reach the
    /// service itself. If the build output is elsewhere, Aspire's <c>dotnet run</c> starts it.
    /// </summary>
    public static IResourceBuilder<ProjectResource> StartDirectly(this IResourceBuilder<ProjectResource> project)
    {
        var program = project.BuiltProgram();
        return !File.Exists(program) ? project : project.WithLaunchToolArgs(
            context =>
            {
                context.Args.Add("exec");
                context.Args.Add(program);
            },
            // IDEs that start projects themselves do not use these arguments.
            ownedByLaunchConfigurationType: "project",
            showInCommandLine: false);
    }

    /// <summary>
    /// The path of a project's program, in the same output folder as the application host's own, such as bin/Debug/net10.0.
    /// </summary>
    public static string BuiltProgram(this IResourceBuilder<ProjectResource> project)
    {
        var file = project.Resource.GetProjectMetadata().ProjectPath;
        var output = Path.GetRelativePath(project.ApplicationBuilder.AppHostDirectory, AppContext.BaseDirectory);
        return Path.Combine(Path.GetDirectoryName(file)!, output, $"{Path.GetFileNameWithoutExtension(file)}.dll");
    }
}
