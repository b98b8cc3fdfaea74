using AgentPlatform.Client.Chat;
using AgentPlatform.Client.Models;
using AgentPlatform.Client.Transports;
using AgentPlatform.Inference;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.SemanticKernel.ChatCompletion;

namespace AgentPlatform.Client;

/// <summary>Gives a .NET program the models of the platform, each by the transport that its configuration names.</summary>
public static class ClientExtensions
{
    /// <summary>Name of the configuration section, an array of <see cref="ModelOptions"/>.</summary>
    public const string Section = "AgentPlatform:Models";

    /// <summary>
    /// Adds the model <paramref name="name"/> of the section <see cref="Section"/>. It is then an <see cref="IChatClient"/>, Semantic
    /// Kernel's <see cref="IChatCompletionService"/> and an <see cref="IInference"/>, each under the key <paramref name="name"/>; the first
    /// model that is added is all of them without a key, too.
    /// </summary>
    /// <returns>The chat client's pipeline, to put function calls, telemetry or a cache into it.</returns>
    /// <exception cref="OptionsValidationException">The model is not configured, or wrongly.</exception>
    /// <exception cref="InvalidOperationException">A key or a value of its configuration means nothing.</exception>
    public static ChatClientBuilder AddAgentPlatformClient(this IHostApplicationBuilder builder, string name)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);

        var section = builder.Configuration.GetSection(Section).GetChildren()
            .FirstOrDefault(model => model[nameof(ModelOptions.Name)] == name)
            ?? throw Mistake($"No model of {Section} is named '{name}'; set {Section}:0:Name and what else reaches it.");
        var model = ReadChecked(section, builder.Configuration);
        builder.AddTransports([model]);

        var services = builder.Services;
        services.AddOptions<ClientOptions>().BindConfiguration(ClientOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ClientOptions>, ClientOptionsValidator>());
        services.AddKeyedSingleton(name, (provider, _) => TransportFactory.Create(provider, model));
        services.AddKeyedSingleton(name, (provider, _) =>
            provider.GetRequiredKeyedService<IChatClient>(name).AsChatCompletionService(provider));
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<IInference>(name));
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<IChatClient>(name));
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<IChatCompletionService>(name));
        return services.AddKeyedChatClient(name, provider =>
            provider.GetRequiredKeyedService<IInference>(name).AsChatClient(
                name, provider.GetRequiredService<IOptions<ClientOptions>>().Value.RequestTimeout,
                provider.GetRequiredService<TimeProvider>()));
    }

    /// <summary>Reads and checks one model.</summary>
    /// <exception cref="OptionsValidationException">It is wrong.</exception>
    public static ModelOptions ReadChecked(IConfigurationSection section, IConfiguration configuration)
    {
        var model = ModelOptions.Read(section);
        var mistakes = ModelRules.Check(model, section.Path).Concat(ModelRules.CheckBroker(model, configuration)).ToArray();
        return mistakes.Length == 0 ? model : throw Mistake(mistakes);
    }

    private static OptionsValidationException Mistake(params string[] mistakes) => new(Section, typeof(ModelOptions), mistakes);
}
