using System.Text.Json.Nodes;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>
/// Lets the workers of a pool write the deletion cost of their own pod, so that scaling down removes idle workers first. They get a service
/// account with this permission only; no other pod has one.
/// </summary>
internal sealed class DeletionCostAccess(KubernetesChart chart, string name)
{
    private const string TokenFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    private static readonly string[] _privateNetworks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

    private readonly string _enabled = chart.Values.Path(
        "deletionCost.enabled",
        true,
        "Whether busy workers say so by the cluster's API, so that idle ones are taken away first; without it no pod has a token for that "
        + "API.");

    /// <summary>Gives the worker the account, and adds the objects that this needs.</summary>
    public void Configure(KubernetesResource service, ContainerV1 worker)
    {
        string account = $"{name}-account", role = $"{name}-role";
        var pod = service.Workload!.PodTemplate.Spec;
        pod.ServiceAccountName = account;
        pod.AutomountServiceAccountToken = null; // The account decides.
        worker.Env.Add(new() { Name = "Kubernetes__DeletionCost", Value = $"{{{{ {_enabled} }}}}" });
        worker.Env.Add(new() { Name = "Kubernetes__PodName", ValueFrom = new() { FieldRef = new() { FieldPath = "metadata.name" } } });
        foreach (var server in pod.InitContainers)
        {
            HideToken(server);
        }

        service.AdditionalResources.Add(new ServiceAccount(account, $"{{{{ if {_enabled} }}}}true{{{{ else }}}}false{{{{ end }}}}"));

        // Permission for the status subresource covers annotations, but not the specification of the pod.
        service.AdditionalResources.Add(chart.When(_enabled, name, new Role(role, new Role.Rule([""], ["pods/status"], ["patch"]))));
        service.AdditionalResources.Add(chart.When(_enabled, name, new RoleBinding($"{name}-binding", role, account)));
        service.AdditionalResources.Add(chart.When($"and {NetworkPolicy.Enabled(chart)} {_enabled}", name, Policy()));
        AddAdmission(service, account);
    }

    // A role cannot restrict a worker to its own pod and to one annotation. Without this policy it could change labels, and so move pods in
    // or out of network policies, disruption budgets and services.
    private void AddAdmission(KubernetesResource service, string account)
    {
        var admitted = $"and {_enabled} {chart.Values.Path(
            "deletionCost.admissionPolicy",
            true,
            "Whether the cluster holds workers to that one annotation of their own pod, by a ValidatingAdmissionPolicy: an object "
            + "of the whole cluster, which whoever installs must be allowed to make.")}";
        var policy = new PodAdmissionPolicy(chart.InCluster($"{name}-deletion-cost"), account);
        service.AdditionalResources.Add(chart.When(admitted, name, policy));
        var binding = new PodAdmissionBinding(chart.InCluster($"{name}-deletion-cost-binding"), policy);
        service.AdditionalResources.Add(chart.When(admitted, name, binding));
    }

    // Workers connect to the port of the Service; some network plugins check the port of the API server behind it instead.
    private NetworkPolicy Policy() => new NetworkPolicy($"{name}-api", ComponentLabels.Select(name)).To(
        NetworkPeer.Whole(chart.Values.Whole(
            "deletionCost.apiPeers",
            new JsonArray([.. _privateNetworks.Select(network => new JsonObject { ["ipBlock"] = new JsonObject { ["cidr"] = network } })]),
            "Where the cluster's API is, as network policies have it; workers reach nothing else by its ports. Private networks, "
            + "until you narrow it to yours, or name its public address.")),
        "443",
        chart.Values.Number("deletionCost.apiPort", 6443, "Port of the API servers, beside the 443 of their Service.", min: 1, max: 65535));

    // The cluster mounts the token into every container that mounts nothing else at its path. Model servers run third-party code and need
    // no token.
    private static void HideToken(ContainerV1 server) =>
        server.VolumeMounts.Add(new() { Name = "tmp", MountPath = TokenFolder, SubPath = "no-token", ReadOnly = true });
}
