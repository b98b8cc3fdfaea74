using System.Globalization;
using System.Text.Json.Nodes;
using AgentPlatform.AppHost.Kubernetes.Broker;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using AgentPlatform.AppHost.Kubernetes.Pods;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>
/// The gateways in a cluster: two or more, scaled on CPU usage and replaced one at a time, each after it has finished its streams.
/// </summary>
internal sealed class GatewayPods(KubernetesChart chart, string name)
{
    // The cluster's proxies take some seconds to learn that a pod is stopping. The gateway keeps listening for that time itself: during a
    // preStop pause it would not know that it is stopping, and could not tell its connections.
    private static readonly TimeSpan _listenTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _startup = TimeSpan.FromMinutes(2);

    /// <summary>Configures the objects that Aspire generates for the gateway, and adds the others.</summary>
    public void Configure(KubernetesResource service)
    {
        var values = chart.Values;
        var drain = _listenTime + chart.Options.GatewayDrainTimeout;
        var deployment = (Deployment)service.Workload!;
        deployment.Spec.Replicas = chart.Number(HelmFunctions.Replicas($"{name}-deployment", ".Values.gateway.minReplicas"));
        deployment.Spec.Strategy = PodShape.RollingUpdate(surge: true);
        var pod = PodShape.Restrict(service, name, PodShape.DotnetUser);
        PodPlacement.Place(chart, pod, "gateway");
        pod.TerminationGracePeriodSeconds = (long)(drain + StopTimes.Margin).TotalSeconds;
        var container = pod.Containers[0];
        container.Image = chart.Image(
            "gateway", "Image of the gateway; required, by its digest at best: registry.example/gateway@sha256:...");
        container.Resources = PodShape.Resources(
            values.Text("gateway.cpu", "500m", "Processors that each gateway needs."),
            values.Text("gateway.memory", "512Mi", "Memory of each."));
        PodShape.AddProbes(container, _startup);
        PodShape.AddSettings(chart, service, container, name);
        new BrokerAccess(chart).Connect(service, container, BrokerUser.Gateway);

        // On a shared node a worker may get no CPU time for a second, above all while others start beside it.
        container.Env.Add(new() { Name = "Messaging__LeaseTimeout", Value = "00:00:03" });
        container.Env.Add(new() { Name = "Stopping__ListenTime", Value = _listenTime.ToString("c", CultureInfo.InvariantCulture) });
        container.Env.Add(new() { Name = "Stopping__DrainTimeout", Value = drain.ToString("c", CultureInfo.InvariantCulture) });
        AddObjects(service);
        chart.Notes = Notes();
    }

    private void AddObjects(KubernetesResource service)
    {
        var values = chart.Values;
        service.AdditionalResources.Add(new PodDisruptionBudget(name));
        service.AdditionalResources.Add(new CpuAutoscaler(
            name,
            values.Number("gateway.minReplicas", 2, "Gateways at least; below 2, replacing one interrupts the service.", min: 1),
            values.Number("gateway.maxReplicas", 6, "Gateways at most.", min: 1),
            values.Number("gateway.cpuPercent", 70, "Processor time, in percent of what they need, above which there are more.", min: 1)));
        chart.RefuseMinAboveMax("gateway");
        chart.Refuse(
            "ne (get (default dict (get (default dict "
            + $"(get (lookup `v1` `Service` .Release.Namespace `{name}-service`) `metadata`)) `annotations`)) "
            + "`meta.helm.sh/release-name` | default .Release.Name) .Release.Name",
            "The namespace has a release of this chart under another name, and there is one in a namespace: upgrade that one, "
            + "or choose another namespace.");
        var ingress = values.Path("ingress.enabled", false, "Whether clients outside of the cluster reach the gateway by an Ingress.");
        service.AdditionalResources.Add(chart.When(ingress, name, new HttpIngress(
            name,
            values.Optional(
                "ingress.className",
                "Class of the ingress controller; empty: the cluster's default. Streams need one that does not buffer answers."),
            values.Whole(
                "ingress.annotations",
                new JsonObject(),
                "Annotations for the controller, such as {nginx.ingress.kubernetes.io/proxy-buffering: 'off'}."),
            values.Text("ingress.host", "agentplatform.example", "Host name for clients."),
            values.Text("ingress.tlsSecret", "", "Secret with the certificate for it; empty: the controller's own."))));
        AddPolicies(service);
    }

    private string Notes()
    {
        var port = $"{{{{ .Values.parameters.{name}.port_http | int }}}}";
        const string Warning = "There is no authentication: whoever reaches the gateway can use all models. "
            + "Keep it in a trusted network, or behind a proxy that authenticates.";
        return $$$"""
            The gateway answers in the cluster at http://{{{name}}}-service.{{ .Release.Namespace }}:{{{port}}}/v1
            {{- if .Values.ingress.enabled }}, and from outside at https://{{ .Values.ingress.host }}/v1.
            {{- else }}. To try it from your machine:
              kubectl --namespace {{ .Release.Namespace }} port-forward service/{{{name}}}-service 8080:{{{port}}}
              curl http://localhost:8080/v1/models
            {{- end }}
            {{- if not (.Capabilities.APIVersions.Has `metrics.k8s.io/v1beta1`) }}

            The cluster has no metrics-server (metrics.k8s.io): there stay gateway.minReplicas gateways, whatever their load.
            {{- end }}
            {{- if .Values.keda.enabled }}

            KEDA scales the pools. Whether it can ask the broker, READY and FALLBACK tell:
              kubectl --namespace {{ .Release.Namespace }} get scaledobjects
            {{- end }}

            {{{Warning}}}

            """;
    }

    private void AddPolicies(KubernetesResource service)
    {
        var access = new BrokerAccess(chart);
        var enabled = NetworkPolicy.Enabled(chart);
        service.AdditionalResources.Add(chart.When(enabled, name, new NetworkPolicy($"{name}-network", ComponentLabels.Select(name))
            .From(null, PodShape.HttpPort)
            .ToDns(chart)
            .To(NetworkPeer.Component(BrokerPods.Component), BrokerAccess.ServerPorts)));

        // The rules for telemetry and for an existing broker are the same for all pods of the release, so one policy each is enough.
        var telemetry = new NetworkPolicy($"{name}-telemetry", ComponentLabels.SelectRelease()).To(null, "4317", "4318");
        var broker = new NetworkPolicy($"{name}-broker", ComponentLabels.SelectRelease()).To(null, access.Port);
        service.AdditionalResources.Add(chart.When($"and {enabled} .Values.telemetry.otlpEndpoint", name, telemetry));
        service.AdditionalResources.Add(chart.When($"and {enabled} (not {access.Enabled})", name, broker));
    }
}

internal static class GatewayPodsExtensions
{
    /// <summary>Configures the gateways in the chart, if one is published.</summary>
    public static IResourceBuilder<ProjectResource> PublishAsGateway(
        this IResourceBuilder<ProjectResource> gateway, KubernetesChart? chart) =>
        chart is null ? gateway : gateway.PublishAsKubernetesService(new GatewayPods(chart, gateway.Resource.Name).Configure);
}
