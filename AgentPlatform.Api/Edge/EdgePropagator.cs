using System.Diagnostics;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Edge;

/// <summary>
/// What the server reads from requests: nothing from callers who are not trusted, whose baggage would otherwise travel to the broker and to
/// other servers.
/// </summary>
internal sealed class EdgePropagator(IOptions<EdgeOptions> options) : DistributedContextPropagator
{
    private readonly DistributedContextPropagator _inner = Current;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Fields => _inner.Fields;

    /// <inheritdoc/>
    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) =>
        _inner.Inject(activity, carrier, setter);

    /// <inheritdoc/>
    public override void ExtractTraceIdAndState(
        object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState)
    {
        (traceId, traceState) = (null, null);
        if (options.Value.TrustTraceContext)
        {
            _inner.ExtractTraceIdAndState(carrier, getter, out traceId, out traceState);
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter) =>
        options.Value.TrustTraceContext ? _inner.ExtractBaggage(carrier, getter) : null;
}
