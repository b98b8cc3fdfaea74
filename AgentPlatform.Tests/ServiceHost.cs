using System.Net;
using System.Text;
using AgentPlatform.Gateway;
using AgentPlatform.Worker;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Running;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests;

/// <summary>
/// A gateway or a worker as its program puts it together, in this process and on a port of its own. A test can look at its services, and
/// replace its engine and its broker. What a process does as a whole (signals, exit codes, its log, crashes) is tested with <see
/// cref="ServiceProcess"/>.
/// </summary>
internal sealed class ServiceHost : IAsyncDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);

    private readonly WebApplication _app;

    private ServiceHost(WebApplication app)
    {
        _app = app;

        // A caller that is no part of the platform: it adds no headers of tracing.
        Http = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null })
        {
            BaseAddress = new Uri(app.Urls.First()),
            Timeout = _limit,
        };
    }

    public HttpClient Http { get; }

    public Uri Address => Http.BaseAddress!;

    public static Task<ServiceHost> GatewayAsync(params (string Key, string Value)[] settings) => GatewayAsync(null, settings);

    /// <param name="addBroker">Registers the broker; without one the configuration names it.</param>
    /// <param name="settings">Configuration.</param>
    public static Task<ServiceHost> GatewayAsync(Action<IServiceCollection>? addBroker, params (string Key, string Value)[] settings) =>
        StartAsync("AgentPlatform.Gateway", addBroker, settings, builder =>
        {
            builder.AddGateway();
            return builder.BuildGateway();
        });

    public static Task<ServiceHost> WorkerAsync(params (string Key, string Value)[] settings) => WorkerAsync(null, null, settings);

    public static Task<ServiceHost> WorkerAsync(IEngine engine, params (string Key, string Value)[] settings) =>
        WorkerAsync(engine, null, settings);

    /// <param name="engine">Runs the requests; without one the configured engine does.</param>
    /// <param name="addBroker">Registers the broker; without one the configuration names it, or there is none.</param>
    /// <param name="settings">Configuration; the model is named m and simulated unless it says otherwise.</param>
    public static Task<ServiceHost> WorkerAsync(
        IEngine? engine, Action<IServiceCollection>? addBroker, params (string Key, string Value)[] settings) =>
        StartAsync("AgentPlatform.Worker", addBroker, [("Model:Name", "m"), ("Engine:Type", "simulated"), .. settings], builder =>
        {
            builder.AddWorker();
            if (engine is not null)
            {
                builder.Services.AddSingleton(engine);
            }

            return builder.BuildWorker();
        });

    /// <summary>How many requests are in a worker's engine.</summary>
    public int ActiveSlots => Get<EngineSlots>().Active;

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>Waits until it says that it is ready, or its engine has failed.</summary>
    public async Task<ServiceHost> ReadyAsync()
    {
        if (_app.Services.GetService<EngineState>() is { } engine)
        {
            await engine.Ready.WaitAsync(_limit);
        }

        await Wait.UntilAsync(IsReadyAsync);
        return this;
    }

    public async Task<bool> IsReadyAsync()
    {
        using var response = await Http.GetAsync(new Uri("/health", UriKind.Relative));
        return response.IsSuccessStatusCode;
    }

    public async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(new Uri(path, UriKind.Relative), content);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>What SIGTERM does; the task ends when the service has.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        Http.Dispose();
    }

    private static async Task<ServiceHost> StartAsync(
        string project, Action<IServiceCollection>? addBroker, (string Key, string Value)[] settings,
        Func<WebApplicationBuilder, WebApplication> build)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { ApplicationName = project, ContentRootPath = Path.Combine(Repository.Root, project) });
        builder.WebHost.UseUrls("http://127.0.0.1:0");

        // A broker that a test registers has the ports of both sides.
        builder.Host.UseDefaultServiceProvider(options => (options.ValidateOnBuild, options.ValidateScopes) = (addBroker is null, true));
        builder.Logging.ClearProviders();
        builder.Configuration["ConnectionStrings:messaging"] = addBroker is null ? null : "amqp://registered";
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        addBroker?.Invoke(builder.Services);
        var app = build(builder);
        await app.StartAsync();
        return new ServiceHost(app);
    }
}
