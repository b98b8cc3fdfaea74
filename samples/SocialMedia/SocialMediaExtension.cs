using AgentPlatform.Client;
using AgentPlatform.Client.Transports;
using AgentPlatform.Worker.Extensions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.SemanticKernel;

namespace SocialMedia;

/// <summary>
/// Gives a worker's agent the plugin <c>social_media</c>, whose classifier <c>Agent:SocialMedia</c> describes as a model of the
/// platform: by the queue of its pool, or by a gateway's address.
/// </summary>
public sealed class SocialMediaExtension : IWorkerExtension
{
    private const string Plugin = "social_media";
    private const string Section = "Agent:SocialMedia";

    /// <inheritdoc/>
    public void AddTo(IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var model = ClientExtensions.ReadChecked(builder.Configuration.GetSection(Section), builder.Configuration);
        builder.AddTransports([model]);

        // Agent:Plugins names it by its key.
        builder.Services.AddKeyedSingleton(Plugin, (services, _) => KernelPluginFactory.CreateFromObject(
            new SocialMediaPlugin(TransportFactory.Create(services, model), model.Name, services.GetRequiredService<TimeProvider>()),
            Plugin, services.GetService<ILoggerFactory>()));
    }
}
