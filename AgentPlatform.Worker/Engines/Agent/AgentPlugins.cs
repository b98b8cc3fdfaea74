using AgentPlatform.Worker.Engines.Agent.SocialMedia;
using Microsoft.Extensions.Options;
using Microsoft.SemanticKernel;

namespace AgentPlatform.Worker.Engines.Agent;

/// <summary>
/// The plugins that <c>Agent:Plugins</c> can name: classes whose methods with <see cref="KernelFunctionAttribute"/> are tools. Any other
/// class that the process can load is named <c>Namespace.Class, Assembly</c>; its constructor gets services.
/// </summary>
internal static class AgentPlugins
{
    private static readonly Dictionary<string, (Type Type, Action<IHostApplicationBuilder> AddTo)> _known = new(StringComparer.Ordinal)
    {
        ["social_media"] = (typeof(SocialMediaPlugin), SocialMediaPlugin.AddTo),
    };

    /// <summary>Registers what the named plugins need.</summary>
    public static void AddTo(IHostApplicationBuilder builder, IEnumerable<string> names)
    {
        foreach (var name in names.Distinct())
        {
            if (_known.TryGetValue(name, out var plugin))
            {
                plugin.AddTo(builder);
            }
        }
    }

    /// <summary>Makes a plugin.</summary>
    /// <exception cref="EngineLoadException">There is none of that name, or it has no tools.</exception>
    public static KernelPlugin Create(string name, IServiceProvider services)
    {
        var type = _known.TryGetValue(name, out var plugin) ? plugin.Type : Type.GetType(name)
            ?? throw new EngineLoadException($"Agent:Plugins names '{name}'; it must be one of '{string.Join("', '", _known.Keys)}', or a class that can be loaded, as 'Namespace.Class, Assembly'.");
        try
        {
            return KernelPluginFactory.CreateFromObject(
                ActivatorUtilities.CreateInstance(services, type), _known.ContainsKey(name) ? name : type.Name, services.GetService<ILoggerFactory>());
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or KernelException)
        {
            throw new EngineLoadException($"The plugin '{name}' of Agent:Plugins cannot be used: {e.Message}", e);
        }
    }

    /// <summary>The mistake in reading a part of the configuration, as one sentence.</summary>
    public static OptionsValidationException Mistake(string sentence) => new(AgentOptions.Section, typeof(AgentOptions), [sentence]);
}
