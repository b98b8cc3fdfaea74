using AgentPlatform.Api.Catalogue;
using AgentPlatform.Client.Transports;
using AgentPlatform.Gateway.Models;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Gateway;

/// <summary>Puts the gateway together.</summary>
internal static class GatewayExtensions
{
    /// <summary>Adds the configured models with their transports, and the broker if one of them is reached through it.</summary>
    public static WebApplicationBuilder AddModels(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<ModelsOptions>().Configure<IConfiguration>(ModelsOptions.Read).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ModelsOptions>, ModelsOptionsValidator>();
        services.AddSingleton(provider => new ModelRouter(
            provider.GetRequiredService<IOptions<ModelsOptions>>(), model => TransportFactory.Create(provider, model)));
        services.AddSingleton<IModelCatalogue>(provider => provider.GetRequiredService<ModelRouter>());

        var models = new ModelsOptions();
        ModelsOptions.Read(models, builder.Configuration);
        builder.AddTransports(models.Models);
        return builder;
    }
}
