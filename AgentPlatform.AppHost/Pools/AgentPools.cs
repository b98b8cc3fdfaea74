namespace AgentPlatform.AppHost.Pools;

/// <summary>Adds pools whose workers are agents: a model with tools.</summary>
internal static class AgentPools
{
    /// <summary>
    /// Adds the worked example: an agent that has the platform's classifier judge and count comments, and reports what to look at. It calls
    /// the model and the classifier through their queues. Its plugin is samples/SocialMedia.
    /// </summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name of the agent for clients.</param>
    /// <param name="model">Pool of its model, which must support tool calls.</param>
    /// <param name="classifier">Pool of the classifier.</param>
    public static IResourceBuilder<ProjectResource> AddMonitoringAgent(
        this ModelPools pools, string name, string model, string classifier) =>
        pools.AddAgent(name, model, "Watches social media: judges and counts comments, and says what to look at.")
            .WithEnvironment("Agent__InstructionsFile", Sample(pools, "CommentFeed/monitor.md"))
            .WithEnvironment("Extensions__0", Sample(pools, $"SocialMedia/{BuildOutput}/SocialMedia.dll"))
            .WithEnvironment("Agent__Plugins__0", "social_media")
            .WithEnvironment("Agent__SocialMedia__Name", classifier);

    /// <summary>
    /// Adds a pool of agents that use another pool's model. Instructions, plugins and MCP servers are the worker's settings <c>Agent:*</c>,
    /// and <c>Extensions</c> names the assemblies of plugins (docs/agents.md).
    /// </summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name of the agent for clients.</param>
    /// <param name="model">Pool of its model.</param>
    /// <param name="description">Description in <c>/v1/models</c>.</param>
    public static IResourceBuilder<ProjectResource> AddAgent(this ModelPools pools, string name, string model, string description) =>
        pools.Add(name, EngineType.Agent, ModelOperation.Chat, description).WithEnvironment("Agent__Model__Name", model);

    // The build of this project builds the samples too: bin/CONFIGURATION/FRAMEWORK, like this assembly.
    private static string BuildOutput
    {
        get
        {
            var own = new DirectoryInfo(AppContext.BaseDirectory);
            return $"bin/{own.Parent!.Name}/{own.Name}";
        }
    }

    // A published pool has an image with its files in /app/extensions.
    private static string Sample(ModelPools pools, string file) => pools.ApplicationBuilder.ExecutionContext.IsPublishMode
        ? $"extensions/{Path.GetFileName(file)}"
        : Path.GetFullPath($"../samples/{file}", pools.ApplicationBuilder.AppHostDirectory);
}
