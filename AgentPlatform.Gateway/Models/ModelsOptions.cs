using AgentPlatform.Client.Models;

namespace AgentPlatform.Gateway.Models;

/// <summary>The models that the gateway serves, in the order of configuration.</summary>
public sealed class ModelsOptions
{
    /// <summary>Name of the configuration section, an array.</summary>
    public const string Section = "Models";

    /// <summary>The models.</summary>
    public IList<ModelOptions> Models { get; } = [];

    /// <summary>Reads the array.</summary>
    /// <exception cref="InvalidOperationException">A key or a value that means nothing.</exception>
    internal static void Read(ModelsOptions options, IConfiguration configuration)
    {
        foreach (var model in configuration.GetSection(Section).GetChildren())
        {
            options.Models.Add(ModelOptions.Read(model));
        }
    }
}
