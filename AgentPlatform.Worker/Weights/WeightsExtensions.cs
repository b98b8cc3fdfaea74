using AgentPlatform.Worker.Configuration;

namespace AgentPlatform.Worker.Weights;

/// <summary>Registers what engines read their model from.</summary>
internal static class WeightsExtensions
{
    /// <summary>Adds <see cref="ModelFolder"/>.</summary>
    public static void AddModelFolder(this IServiceCollection services)
    {
        // Files are large, and silence is what ends an attempt. Redirects are
        // followed, without the token: stores send to where the bytes are.
        services.AddHttpClient(WeightsClient.HttpName, static client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(static () => new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(10) });
        services.AddValidated<WeightsOptions, WeightsOptionsValidator>(WeightsOptions.Section);
        services.AddSingleton<WeightsClient>();
        services.AddSingleton<ModelFolder>();
    }
}
