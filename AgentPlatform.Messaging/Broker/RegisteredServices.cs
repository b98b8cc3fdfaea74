using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Messaging.Broker;

/// <summary>Looks at what is registered, since a process may add the sides of the broker one by one.</summary>
internal static class RegisteredServices
{
    /// <summary>Whether a service is registered.</summary>
    public static bool Has<TService>(this IServiceCollection services) =>
        services.Any(static service => service.ServiceType == typeof(TService));
}
