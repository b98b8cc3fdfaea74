using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Kubernetes;
using AgentPlatform.AppHost.Models;
using Aspire.Hosting;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>Charts that tests look at, published once each.</summary>
public sealed class ChartFixture : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("agentplatform-charts-");

    /// <summary>The committed chart.</summary>
    public static string Committed { get; } = Path.Combine(Repository.Root, "deploy", "chart");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Publishes a platform with the pools that a test adds; gives the folder of its chart.</summary>
    internal async Task<string> PublishAsync(Action<ModelPools> add, params string[] settings)
    {
        var output = Path.Combine(_folder.FullName, Guid.NewGuid().ToString("N"));
        await PublishAsync(output, add, settings);
        return output;
    }

    /// <summary>Publishes into a folder.</summary>
    internal static async Task PublishAsync(string output, Action<ModelPools> add, params string[] settings)
    {
        var builder = DistributedApplication.CreateBuilder(["--operation", "publish", "--step", "publish", "--output-path", output, .. settings]);
        var chart = KubernetesChart.Begin(builder)!;
        var messaging = builder.AddBroker("messaging", chart);
        var gateway = builder.AddProject<Projects.AgentPlatform_Gateway>("gateway").WithReference(messaging).WaitFor(messaging).PublishAsGateway(chart);
        add(builder.AddModelPools(gateway, messaging, chart));
        await builder.Build().RunAsync();
        Assert.True(chart.IsComplete);
    }
}
