using System.Net;
using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Dcp;

/// <summary>Gives every endpoint its port: a DCP service each, whose proxy listens before the process behind it runs.</summary>
internal sealed class EndpointAllocator(DcpClient dcp)
{
    /// <summary>Name of the DCP service of an endpoint: the resource's if it is its only one.</summary>
    public static string ServiceName(IResource resource, EndpointAnnotation endpoint) =>
        resource.Annotations.OfType<EndpointAnnotation>().Skip(1).Any() ? $"{resource.Name}-{endpoint.Name}" : resource.Name;

    /// <summary>Address that a process or proxy binds for a host setting; <c>*</c> and <c>+</c> stand for all interfaces.</summary>
    public static string BindAddress(EndpointAnnotation endpoint) => IsAnyAddress(endpoint) ? "0.0.0.0" : endpoint.TargetHost;

    /// <summary>Throws a sentence for the first fixed port that another process listens on.</summary>
    public static void EnsureFree(IEnumerable<(string Owner, string Host, int Port)> ports)
    {
        foreach (var (owner, host, port) in ports)
        {
            var address = IPAddress.TryParse(host, out var parsed) ? parsed : IPAddress.Loopback;
            using var probe = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(address, port));
                probe.Listen();
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse)
            {
                throw new DistributedApplicationException($"Port {port}, which {owner} needs, is taken by another process; stop that process or change the port.");
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AccessDenied)
            {
                throw new DistributedApplicationException($"Port {port}, which {owner} needs, may not be opened by this user; change the port.");
            }
        }
    }

    public async Task AllocateAsync(IReadOnlyList<IResource> resources, CancellationToken cancellationToken)
    {
        var waiting = new Dictionary<string, EndpointAnnotation>(StringComparer.Ordinal);
        foreach (var resource in resources)
        {
            foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
            {
                var name = ServiceName(resource, endpoint);
                if (!endpoint.IsProxied && endpoint.Port is null)
                {
                    endpoint.Port = FreePort();
                }

                await dcp.CreateAsync("services", Service(resource, endpoint, name), DcpJson.Default.DcpObjectServiceSpecServiceStatus, cancellationToken);
                if (endpoint.IsProxied)
                {
                    waiting[name] = endpoint;
                }
                else
                {
                    endpoint.Allocate(new AllocatedEndpoint(ClientHost(endpoint), endpoint.Port!.Value, TargetPortExpression: null));
                }
            }
        }

        if (waiting.Count == 0)
        {
            return;
        }

        await foreach (var change in dcp.WatchAsync("services", DcpJson.Default.WatchedChangeDcpObjectServiceSpecServiceStatus, cancellationToken))
        {
            var name = change.Object.Metadata.Name;
            if (change.Object.Status is { EffectivePort: > 0 and var port } && waiting.Remove(name, out var endpoint))
            {
                endpoint.Allocate(new AllocatedEndpoint(ClientHost(endpoint), port, $"{{{{- portForServing \"{name}\" -}}}}"));
                if (waiting.Count == 0)
                {
                    return;
                }
            }
        }
    }

    private static DcpObject<ServiceSpec, ServiceStatus> Service(IResource resource, EndpointAnnotation endpoint, string name) => new()
    {
        Kind = "Service",
        Metadata = new DcpMetadata
        {
            Name = name,
            Annotations = new Dictionary<string, string> { ["resource-name"] = resource.Name, ["endpoint-name"] = endpoint.Name },
        },
        Spec = new ServiceSpec(BindAddress(endpoint), endpoint.Port, "TCP", endpoint.IsProxied ? "Localhost" : "Proxyless"),
    };

    private static string ClientHost(EndpointAnnotation endpoint) => IsAnyAddress(endpoint) ? "localhost" : endpoint.TargetHost;

    private static bool IsAnyAddress(EndpointAnnotation endpoint) => endpoint.TargetHost is "0.0.0.0" or "::" or "[::]" or "*" or "+";

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
