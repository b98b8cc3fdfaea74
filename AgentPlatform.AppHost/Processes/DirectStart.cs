namespace AgentPlatform.AppHost.Processes;

/// <summary>Starts the programs that the build of the application host made, without <c>dotnet run</c> before each.</summary>
internal static class DirectStart
{
    /// <summary>
    /// Has a local run start a project as <c>dotnet exec</c>: one process less for each replica, a faster start, and signals reach the
    /// service itself. Where the build put the program elsewhere, Aspire's <c>dotnet run</c> finds it.
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
            // Development environments that start projects themselves do without.
            ownedByLaunchConfigurationType: "project",
            showInCommandLine: false);
    }

    /// <summary>
    /// Where the build puts a project's program: in the same folder below the project as the application host is below its own, bin/Debug/net10.0.
    /// </summary>
    public static string BuiltProgram(this IResourceBuilder<ProjectResource> project)
    {
        var file = project.Resource.GetProjectMetadata().ProjectPath;
        var output = Path.GetRelativePath(project.ApplicationBuilder.AppHostDirectory, AppContext.BaseDirectory);
        return Path.Combine(Path.GetDirectoryName(file)!, output, $"{Path.GetFileNameWithoutExtension(file)}.dll");
    }
}
