using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Edge;

/// <summary>Whom the HTTP surface believes what; configuration section <c>Edge</c>. By default nobody anything.</summary>
internal sealed class EdgeOptions : IValidatableObject
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Edge";

    /// <summary>
    /// Names under which the service may be addressed; <c>*.example.com</c> is every name below it. None: any. An address in place of a
    /// name is always good, since no page of somebody else's can have one for its origin.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Origins whose pages may call from a browser, such as <c>https://chat.example.com</c>; <c>*</c> is every one.</summary>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>Whether pages that this machine serves may, at any port.</summary>
    public bool AllowLoopbackOrigins { get; set; }

    /// <summary>
    /// Proxies, or networks of them such as <c>10.0.0.0/8</c>, whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed.
    /// </summary>
    public IList<string> TrustedProxies { get; } = [];

    /// <summary>
    /// Whether callers' trace context and baggage are gone on with; else a request begins a trace of its own that links to theirs.
    /// </summary>
    public bool TrustTraceContext { get; set; }

    /// <summary>The networks of <see cref="TrustedProxies"/>.</summary>
    internal IEnumerable<IPNetwork> ProxyNetworks => TrustedProxies.Select(proxy => ParseProxy(proxy)!.Value);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var host in AllowedHosts.Where(host => Uri.CheckHostName(IsPattern(host) ? host[2..] : host) == UriHostNameType.Unknown))
        {
            yield return new ValidationResult(
                $"{Section}:{nameof(AllowedHosts)} holds '{host}', which is not a host name; write it without scheme and port.",
                [nameof(AllowedHosts)]);
        }

        foreach (var origin in AllowedOrigins.Where(origin => origin != "*" && !IsOrigin(origin)))
        {
            yield return new ValidationResult(
                $"{Section}:{nameof(AllowedOrigins)} holds '{origin}', which is not an origin; write scheme, host and, if it is not the " +
                $"scheme's own, " +
                "port: https://chat.example.com.",
                [nameof(AllowedOrigins)]);
        }

        foreach (var proxy in TrustedProxies.Where(proxy => ParseProxy(proxy) is null))
        {
            yield return new ValidationResult(
                $"{Section}:{nameof(TrustedProxies)} holds '{proxy}', which is neither an address nor a network such as 10.0.0.0/8.",
                [nameof(TrustedProxies)]);
        }
    }

    /// <summary>Whether a request may name this host, which comes without its port.</summary>
    public bool AllowsHost(string host) => AllowedHosts.Count == 0 || host.Length == 0 || IPAddress.TryParse(host, out _)
        || AllowedHosts.Any(allowed => IsPattern(allowed)
            ? host.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase)
            : host.Equals(allowed, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether pages of this origin may call.</summary>
    public bool AllowsOrigin(string origin) =>
        AllowedOrigins.Any(allowed => allowed == "*" || allowed.Equals(origin, StringComparison.OrdinalIgnoreCase))
        || (AllowLoopbackOrigins && Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.IsLoopback && !uri.IsFile);

    private static bool IsPattern(string host) => host.StartsWith("*.", StringComparison.Ordinal);

    private static bool IsOrigin(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is not "file"
        && uri.GetLeftPart(UriPartial.Authority).Equals(text, StringComparison.OrdinalIgnoreCase);

    private static IPNetwork? ParseProxy(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : null;
}

[OptionsValidator]
internal sealed partial class EdgeOptionsValidator : IValidateOptions<EdgeOptions>;
