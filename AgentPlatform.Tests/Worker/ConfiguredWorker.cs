using AgentPlatform.Api;
using AgentPlatform.ServiceDefaults;
using AgentPlatform.Worker;
using AgentPlatform.Worker.Engines.Running;
using AgentPlatform.Worker.Jobs;
using AgentPlatform.Worker.Scaling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Worker;

/// <summary>A worker in this process as its Program makes it, of nothing but settings, on a real port and without a broker.</summary>
internal sealed class ConfiguredWorker : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ConfiguredWorker(WebApplication app)
    {
        _app = app;
        var address = app.Urls.First();
        Http = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromMinutes(2) };
    }

    public HttpClient Http { get; }

    /// <summary>How many requests are in the engine.</summary>
    public int ActiveSlots => _app.Services.GetRequiredService<EngineSlots>().Active;

    /// <summary>Starts it and waits until its engine is ready.</summary>
    public static async Task<ConfiguredWorker> StartAsync(params IEnumerable<(string Key, string Value)> settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:messaging"] = null });
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value)));
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddServiceDefaults();
        builder.AddEngine();
        builder.AddJobs();
        builder.AddDeletionCost();
        builder.AddInferenceApi();
        var app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapInferenceApi();
        await app.StartAsync();
        var worker = new ConfiguredWorker(app);
        try
        {
            await app.Services.GetRequiredService<EngineState>().Ready.WaitAsync(TimeSpan.FromMinutes(2));
            return worker;
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
