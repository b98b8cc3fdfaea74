using Microsoft.SemanticKernel;

namespace AgentPlatform.Worker.Engines.Agent;

/// <summary>
/// The plugins that <c>Agent:Plugins</c> can name: <see cref="KernelPlugin"/> services by their key, which an extension of the worker
/// registers, and as <c>Namespace.Class, Assembly</c> any class with methods that have <see cref="KernelFunctionAttribute"/>; its
/// constructor gets services.
/// </summary>
internal static class AgentPlugins
{
    /// <summary>Makes a plugin.</summary>
    /// <exception cref="EngineLoadException">There is none of that name, or it has no tools.</exception>
    public static KernelPlugin Create(string name, IServiceProvider services)
    {
        if (services.GetKeyedService<KernelPlugin>(name) is { } registered)
        {
            return registered;
        }

        var type = Type.GetType(name) ?? throw new EngineLoadException(
            $"Agent:Plugins names '{name}'; it must be a plugin that an assembly of Extensions registers, or a class of such an assembly, "
            + "as 'Namespace.Class, Assembly'.");
        try
        {
            return KernelPluginFactory.CreateFromObject(
                ActivatorUtilities.CreateInstance(services, type), type.Name, services.GetService<ILoggerFactory>());
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or KernelException)
        {
            throw new EngineLoadException($"The plugin '{name}' of Agent:Plugins cannot be used: {e.Message}", e);
        }
    }
}
