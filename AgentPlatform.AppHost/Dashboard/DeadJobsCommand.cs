using AgentPlatform.AppHost.Processes;

namespace AgentPlatform.AppHost.Dashboard;

internal static class DeadJobsCommandExtensions
{
    /// <summary>
    /// Adds the command <c>dead-jobs</c> to the gateway, which lists dead-lettered jobs. It runs the gateway's program, whose other
    /// commands can requeue and drop them (docs/operations.md).
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithDeadJobsCommand(
        this IResourceBuilder<ProjectResource> gateway, IResourceBuilder<IResourceWithConnectionString> messaging)
    {
        var program = gateway.BuiltProgram();
        return gateway.WithProcessCommand(
            "dead-jobs",
            "Show dead jobs",
            async context => new ProcessCommandSpec("dotnet")
            {
                Arguments = ["exec", program, "dead", "list"],
                EnvironmentVariables = new Dictionary<string, string>
                {
                    [$"ConnectionStrings__{messaging.Resource.Name}"] =
                        await messaging.Resource.GetConnectionStringAsync(context.CancellationToken) ?? "",
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
}
