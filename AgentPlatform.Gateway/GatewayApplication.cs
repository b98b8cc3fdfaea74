using AgentPlatform.Api;
using AgentPlatform.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Gateway;

/// <summary>The gateway as an application: what its program runs, and tests run in their own process.</summary>
internal static class GatewayApplication
{
    /// <summary>Adds everything that the configuration asks for. What is registered afterwards replaces it.</summary>
    public static void AddGateway(this WebApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.AddModels();
        builder.AddInferenceApi();
    }

    /// <summary>Checks the configuration and maps the endpoints.</summary>
    /// <exception cref="OptionsValidationException">A setting is wrong.</exception>
    public static WebApplication BuildGateway(this WebApplicationBuilder builder)
    {
        var app = builder.Build();
        app.Services.GetRequiredService<IStartupValidator>().Validate();
        app.MapDefaultEndpoints();
        app.MapInferenceApi();
        return app;
    }
}
