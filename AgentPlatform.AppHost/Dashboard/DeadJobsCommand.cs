namespace AgentPlatform.AppHost.Dashboard;

internal static class DeadJobsCommandExtensions
{
    /// <summary>
    /// Adds the command <c>dead-jobs</c> to the gateway: lists the jobs that could not be done, by the gateway's own program
    /// (docs/operations.md), which has the rest of what can be done about them.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithDeadJobsCommand(
        this IResourceBuilder<ProjectResource> gateway, IResourceBuilder<IResourceWithConnectionString> messaging)
    {
        var program = ProgramOf(gateway.Resource.GetProjectMetadata().ProjectPath, gateway.ApplicationBuilder.AppHostDirectory);
        return gateway.WithProcessCommand(
            "dead-jobs",
            "Show dead jobs",
            async context => new ProcessCommandSpec("dotnet")
            {
                Arguments = ["exec", program, "dead", "list"],
                EnvironmentVariables = new Dictionary<string, string>
                {
                    [$"ConnectionStrings__{messaging.Resource.Name}"] = await messaging.Resource.GetConnectionStringAsync(context.CancellationToken) ?? "",
                },
            },
            new ProcessCommandOptions
            {
                Description = "Lists the jobs that could not be done.",
                IconName = "MailDismiss",
                DisplayImmediately = true,
                Progress = new CommandProgressOptions { Message = "The broker is being asked." },
            });
    }

    // In the same folder below its project as the application host is below its own: bin/Debug/net10.0.
    private static string ProgramOf(string project, string applicationHost) => Path.Combine(
        Path.GetDirectoryName(project)!,
        Path.GetRelativePath(applicationHost, AppContext.BaseDirectory),
        $"{Path.GetFileNameWithoutExtension(project)}.dll");
}
