using AgentPlatform.Api.Catalogue;
using AgentPlatform.Worker.Configuration;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Preparation;
using AgentPlatform.Worker.Engines.Running;
using AgentPlatform.Worker.Weights;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker;

/// <summary>Registers the engine and all that leads to it.</summary>
internal static class EngineExtensions
{
    /// <summary>Adds the configured engine, its slots, its start and the inference that the worker's own HTTP surface calls.</summary>
    /// <exception cref="OptionsValidationException"><c>Engine:Type</c> names no engine.</exception>
    public static void AddEngine(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddValidated<ModelOptions, ModelOptionsValidator>(ModelOptions.Section);
        services.AddValidated<EngineOptions, EngineOptionsValidator>(EngineOptions.Section);
        services.AddModelFolder();
        EngineTypes.Find(builder.Configuration[$"{EngineOptions.Section}:{nameof(EngineOptions.Type)}"]).AddTo(builder);

        services.AddSingleton<EngineMetrics>();
        services.AddSingleton<EngineState>();
        services.AddSingleton(provider => new EngineSlots(
            provider.GetRequiredService<IOptions<EngineOptions>>().Value.Slots ?? provider.GetRequiredService<IEngine>().Traits.Slots,
            provider.GetRequiredService<EngineMetrics>()));
        services.AddSingleton<PreparationPool>();
        services.AddSingleton<EngineRunner>();
        services.AddSingleton<DirectInference>();
        services.AddSingleton<IModelCatalogue, EngineCatalogue>();
        services.AddHostedService<EngineStartup>();
        services.AddHealthChecks().AddCheck<WorkerReadiness>("worker");
    }
}
