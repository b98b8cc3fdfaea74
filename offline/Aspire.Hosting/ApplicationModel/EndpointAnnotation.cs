namespace Aspire.Hosting.ApplicationModel;

/// <summary>A port that a resource listens on.</summary>
public sealed class EndpointAnnotation(string uriScheme, string name, int? port, int? targetPort, bool isExternal, bool isProxied) : IResourceAnnotation
{
    private readonly TaskCompletionSource<AllocatedEndpoint> _allocated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _transport;

    /// <summary>Name of the endpoint, unique in its resource.</summary>
    internal string Name { get; } = name;

    /// <summary>Scheme of its URL.</summary>
    internal string UriScheme { get; set; } = uriScheme;

    /// <summary>Port that clients use; null has one chosen.</summary>
    public int? Port
    {
        get => port ?? (IsProxied ? null : targetPort);
        set => port = value;
    }

    /// <summary>Port that the process listens on; null has one chosen.</summary>
    public int? TargetPort
    {
        get => targetPort ?? (IsProxied ? null : port);
        set => targetPort = value;
    }

    /// <summary>Address that the endpoint is bound to; <c>0.0.0.0</c> binds all interfaces.</summary>
    internal string TargetHost { get; set; } = "localhost";

    /// <summary>Protocol above the connection.</summary>
    internal string Transport
    {
        get => _transport ?? (UriScheme is "http" or "https" ? "http" : "tcp");
        set => _transport = value;
    }

    /// <summary>Whether it is reachable from outside once published.</summary>
    internal bool IsExternal { get; set; } = isExternal;

    /// <summary>Whether a proxy listens on <see cref="Port"/> and hands on to the process.</summary>
    public bool IsProxied { get; set; } = isProxied;

    /// <summary>A variable that tells the process its port, instead of ASPNETCORE_URLS.</summary>
    internal string? TargetPortEnvironmentVariable { get; init; }

    internal AllocatedEndpoint? Allocated => _allocated.Task.IsCompletedSuccessfully ? _allocated.Task.Result : null;

    internal void Allocate(AllocatedEndpoint endpoint) => _allocated.TrySetResult(endpoint);

    internal Task<AllocatedEndpoint> GetAllocatedAsync(CancellationToken cancellationToken) => _allocated.Task.WaitAsync(cancellationToken);
}

/// <summary>Where clients reach an endpoint.</summary>
/// <param name="Host">Host name or address for clients on this machine.</param>
/// <param name="Port">Port for clients.</param>
/// <param name="TargetPortExpression">How DCP fills in the port that the process listens on.</param>
internal sealed record AllocatedEndpoint(string Host, int Port, string? TargetPortExpression);
