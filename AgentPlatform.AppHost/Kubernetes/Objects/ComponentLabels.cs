using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>The labels that Aspire gives all objects and pods of a resource, and selectors of them.</summary>
internal static class ComponentLabels
{
    /// <summary>The labels of the pods of one resource of this release.</summary>
    public static Dictionary<string, string> Of(string component) => new()
    {
        ["app.kubernetes.io/name"] = "{{ .Chart.Name }}",
        ["app.kubernetes.io/component"] = component,
        ["app.kubernetes.io/instance"] = "{{ .Release.Name }}",
    };

    /// <summary>
    /// A selector of the pods of one resource; a new one for each use, since YAML would write a shared one as a reference.
    /// </summary>
    public static LabelSelectorV1 Select(string component) => SelectLabels(Of(component));

    /// <summary>A selector of all pods of this release.</summary>
    public static LabelSelectorV1 SelectRelease() => SelectLabels(new()
    {
        ["app.kubernetes.io/name"] = "{{ .Chart.Name }}",
        ["app.kubernetes.io/instance"] = "{{ .Release.Name }}",
    });

    /// <summary>A selector of the pods that have all of these labels.</summary>
    public static LabelSelectorV1 SelectLabels(Dictionary<string, string> labels)
    {
        var selector = new LabelSelectorV1();
        foreach (var (key, value) in labels)
        {
            selector.MatchLabels[key] = value;
        }

        return selector;
    }
}
