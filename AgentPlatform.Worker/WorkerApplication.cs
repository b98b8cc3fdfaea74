using AgentPlatform.Api;
using AgentPlatform.ServiceDefaults;
using AgentPlatform.Worker.Extensions;
using AgentPlatform.Worker.Jobs;
using AgentPlatform.Worker.Scaling;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker;

/// <summary>The worker as an application: what its program runs, and tests run in their own process.</summary>
internal static class WorkerApplication
{
    /// <summary>Adds everything that the configuration asks for. What is registered afterwards replaces it.</summary>
    public static void AddWorker(this WebApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.AddEngine();
        builder.AddJobs();
        builder.AddDeletionCost();
        builder.AddInferenceApi();
        builder.AddExtensions();
    }

    /// <summary>Checks the configuration and maps the endpoints.</summary>
    /// <exception cref="OptionsValidationException">A setting is wrong.</exception>
    public static WebApplication BuildWorker(this WebApplicationBuilder builder)
    {
        var app = builder.Build();
        app.Services.GetRequiredService<IStartupValidator>().Validate();
        app.MapDefaultEndpoints();
        app.MapInferenceApi();
        return app;
    }
}
