using AgentPlatform.Testing.Broker;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.AppHost;

/// <summary>
/// The AppHost's application on Aspire's test host: it runs in this process, without a dashboard, and its resources are processes. Tests of
/// processes, signals and the dashboard use <see cref="PlatformProcess"/>.
/// </summary>
internal sealed class TestApplication : IAsyncDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(4);

    private readonly DistributedApplication _application;
    private readonly DirectoryInfo _folder;

    private TestApplication(DistributedApplication application, DirectoryInfo folder) => (_application, _folder) = (application, folder);

    /// <summary>Address of the gateway.</summary>
    public Uri Gateway => _application.GetEndpoint("gateway", "http");

    /// <summary>The resources of the application.</summary>
    public DistributedApplicationModel Model => _application.Services.GetRequiredService<DistributedApplicationModel>();

    /// <summary>Returns the connection string of a resource.</summary>
    public async Task<string> ConnectionStringAsync(string resource) =>
        await _application.GetConnectionStringAsync(resource)
        ?? throw new InvalidOperationException($"{resource} has no connection string.");

    /// <summary>Starts the application and waits until gateway and pools are healthy.</summary>
    public static async Task<TestApplication> StartAsync(params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("agentplatform-application-");
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AgentPlatform_AppHost>(
        [
            "--Broker:Mode=local",
            $"--Broker:DataFolder={Path.Combine(folder.FullName, "messaging")}",
            $"--Gateway:Port={RabbitMQNode.FreePort()}",
            .. arguments,
        ]);
        builder.Configuration["ASPIRE_VERSION_CHECK_DISABLED"] = "true";
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        var started = new TestApplication(await builder.BuildAsync(), folder);
        try
        {
            await started.StartAsync();
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task StartAsync()
    {
        using var limit = new CancellationTokenSource(_limit, TimeProvider.System);
        await _application.StartAsync(limit.Token);
        foreach (var project in Model.Resources.OfType<ProjectResource>())
        {
            await _application.ResourceNotifications.WaitForResourceHealthyAsync(project.Name, limit.Token);
        }
    }
}
