using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>Pods on the other side of a connection.</summary>
internal sealed class NetworkPeer
{
    /// <summary>Their namespaces; their own if null.</summary>
    public LabelSelectorV1? NamespaceSelector { get; init; }

    /// <summary>Their labels; all pods if null.</summary>
    public LabelSelectorV1? PodSelector { get; init; }

    /// <summary>An expression that gives all peers of a rule.</summary>
    public string? Values { get; init; }

    /// <summary>The pods of one resource of this release.</summary>
    public static NetworkPeer Component(string component) => new() { PodSelector = ComponentLabels.Select(component) };

    /// <summary>All pods of this release.</summary>
    public static NetworkPeer Release() => new() { PodSelector = ComponentLabels.SelectLabels(new() { ["app.kubernetes.io/instance"] = "{{ .Release.Name }}" }) };

    /// <summary>All pods of a namespace.</summary>
    public static NetworkPeer Namespace(string name) => new() { NamespaceSelector = ComponentLabels.SelectLabels(new() { ["kubernetes.io/metadata.name"] = name }) };

    /// <summary>The peers that values.yaml lists, in the place of the only one of a rule.</summary>
    public static NetworkPeer Whole(string expression) => new() { Values = expression };
}
