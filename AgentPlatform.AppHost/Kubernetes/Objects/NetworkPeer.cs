using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>The pods on the other side of a connection.</summary>
internal sealed class NetworkPeer
{
    /// <summary>Selects their namespaces; null for the namespace of the policy.</summary>
    public LabelSelectorV1? NamespaceSelector { get; init; }

    /// <summary>Selects them by labels; null for all pods of the namespaces.</summary>
    public LabelSelectorV1? PodSelector { get; init; }

    /// <summary>An expression for the whole list of peers.</summary>
    public string? Values { get; init; }

    /// <summary>The pods of one resource of this release.</summary>
    public static NetworkPeer Component(string component) => new() { PodSelector = ComponentLabels.Select(component) };

    /// <summary>All pods of this release.</summary>
    public static NetworkPeer Release() => new()
    {
        PodSelector = ComponentLabels.SelectLabels(new() { ["app.kubernetes.io/instance"] = "{{ .Release.Name }}" }),
    };

    /// <summary>All pods of a namespace.</summary>
    public static NetworkPeer Namespace(string name) => new()
    {
        NamespaceSelector = ComponentLabels.SelectLabels(new() { ["kubernetes.io/metadata.name"] = name }),
    };

    /// <summary>The peers that values.yaml lists; must be the only peer of a rule (<see cref="Chart.ChartValues.Whole"/>).</summary>
    public static NetworkPeer Whole(string expression) => new() { Values = expression };
}
