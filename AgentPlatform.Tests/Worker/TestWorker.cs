using AgentPlatform.Api;
using AgentPlatform.ServiceDefaults;
using AgentPlatform.Worker;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Jobs;
using AgentPlatform.Worker.Scaling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Worker;

/// <summary>A whole worker in this process, with an engine of the test's or the configured one, and a broker or none.</summary>
internal sealed class TestWorker : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestWorker(WebApplication app) => _app = app;

    public static async Task<TestWorker> StartAsync(IEngine? engine, string? broker = null, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Model:Name"] = "m",
            ["Engine:Type"] = "simulated",
            ["ConnectionStrings:messaging"] = broker,
        });
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        builder.AddServiceDefaults();
        builder.AddEngine();
        if (engine is not null)
        {
            builder.Services.AddSingleton(engine);
        }

        builder.AddJobs();
        builder.AddDeletionCost();
        builder.AddInferenceApi();
        var app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapInferenceApi();
        await app.StartAsync();
        return new TestWorker(app);
    }

    public HttpClient Http => _app.GetTestClient();

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>Waits until the worker says that it is ready.</summary>
    public Task ReadyAsync() => Messaging.Side.UntilAsync(IsReadyAsync);

    public async Task<bool> IsReadyAsync()
    {
        using var response = await Http.GetAsync(new Uri("/health", UriKind.Relative));
        return response.IsSuccessStatusCode;
    }

    /// <summary>What SIGTERM does; the task ends when the worker has.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
