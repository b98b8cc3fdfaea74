using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Api.Startup;

/// <summary>Says at the start that nothing asks clients who they are, and where such a process may stand.</summary>
internal sealed partial class OpenSurface(IServer server, ILogger<OpenSurface> logger) : IHostedLifecycleService
{
    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses.ToArray() ?? [];
        if (addresses.All(IsThisMachineOnly))
        {
            OpenToThisMachine(logger, string.Join(", ", addresses));
        }
        else
        {
            OpenToTheNetwork(logger, string.Join(", ", addresses));
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // "http://127.0.0.1:8080", "http://[::]:8080"; names such as "http://+:80" are those of any host.
    private static bool IsThisMachineOnly(string address) => Uri.TryCreate(address, UriKind.Absolute, out var uri)
        && (uri.Host == "localhost" || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip)));

    [LoggerMessage(LogLevel.Information, "There is no authentication: every program on this machine can use all models at {Addresses}")]
    private static partial void OpenToThisMachine(ILogger logger, string addresses);

    [LoggerMessage(LogLevel.Warning, "There is no authentication: whoever reaches {Addresses} can use all models. Keep it in a trusted " +
        "network, or behind a proxy that authenticates: docs/security.md")]
    private static partial void OpenToTheNetwork(ILogger logger, string addresses);
}
