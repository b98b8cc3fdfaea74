using AgentPlatform.Worker.Weights;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Tests.Worker.Weights;

/// <summary>What a worker reads its model from, without the worker.</summary>
internal static class ModelFolders
{
    /// <summary>The folder that <c>Model:Source</c> names, relative to the tests' own.</summary>
    public static ModelFolder At(string? source) =>
        Services(TimeProvider.System, ("Model:Source", source)).GetRequiredService<ModelFolder>();

    public static ServiceProvider Services(TimeProvider time, params (string Key, string? Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
            [new(
                "Model:Name", "m"), .. settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value))]).Build());
        services.AddLogging();
        services.AddSingleton(time);
        services.AddSingleton<IHostEnvironment>(new Here());
        services.AddModelFolder();
        return services.BuildServiceProvider();
    }

    private sealed class Here : IHostEnvironment
    {
        public string ApplicationName { get; set; } = "worker";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();

        public string ContentRootPath { get; set; } = AppContext.BaseDirectory;

        public string EnvironmentName { get; set; } = Environments.Production;
    }
}
