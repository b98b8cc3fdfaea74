using System.Text.Json.Nodes;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>
/// Lets the workers of a pool write what the end of their pod would cost, so that fewer replicas take idle ones away. They get an account
/// that may do this and nothing else; no other pod has one.
/// </summary>
internal sealed class DeletionCostAccess(KubernetesChart chart, string name)
{
    private const string TokenFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    private static readonly string[] _privateNetworks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

    private readonly string _enabled = chart.Values.Path(
        "deletionCost.enabled", true, "Whether busy workers say so by the cluster's API, so that idle ones are taken away first; without it no pod has a token for that API.");

    /// <summary>Gives the worker the account, and the objects that it takes.</summary>
    public void Configure(KubernetesResource service, ContainerV1 worker)
    {
        string account = $"{name}-account", role = $"{name}-role";
        var pod = service.Workload!.PodTemplate.Spec;
        pod.ServiceAccountName = account;
        pod.AutomountServiceAccountToken = null; // As the account says.
        worker.Env.Add(new() { Name = "Kubernetes__DeletionCost", Value = $"{{{{ {_enabled} }}}}" });
        worker.Env.Add(new() { Name = "Kubernetes__PodName", ValueFrom = new() { FieldRef = new() { FieldPath = "metadata.name" } } });
        foreach (var server in pod.InitContainers)
        {
            HideToken(server);
        }

        service.AdditionalResources.Add(new ServiceAccount(account, $"{{{{ if {_enabled} }}}}true{{{{ else }}}}false{{{{ end }}}}"));

        // Who may write the status can set annotations, but not what a pod runs.
        service.AdditionalResources.Add(chart.When(_enabled, name, new Role(role, new Role.Rule([""], ["pods/status"], ["patch"]))));
        service.AdditionalResources.Add(chart.When(_enabled, name, new RoleBinding($"{name}-binding", role, account)));
        service.AdditionalResources.Add(chart.When($"and {NetworkPolicy.Enabled(chart)} {_enabled}", name, Policy()));
        AddAdmission(service, account);
    }

    // No role can say it: a worker may change its own pod only, and of that the one annotation. Without labels of its choice no pod gets
    // out of the reach of network policies, budgets and services, or into that of others.
    private void AddAdmission(KubernetesResource service, string account)
    {
        var admitted = $"and {_enabled} {chart.Values.Path(
            "deletionCost.admissionPolicy",
            true,
            "Whether the cluster holds workers to that one annotation of their own pod, by a ValidatingAdmissionPolicy: an object "
            + "of the whole cluster, which whoever installs must be allowed to make.")}";
        var policy = new PodAdmissionPolicy(chart.InCluster($"{name}-deletion-cost"), account);
        service.AdditionalResources.Add(chart.When(admitted, name, policy));
        service.AdditionalResources.Add(chart.When(admitted, name, new PodAdmissionBinding(chart.InCluster($"{name}-deletion-cost-binding"), policy)));
    }

    // The worker asks at the Service's port; plugins that look at packets behind it see the port of the API server itself.
    private NetworkPolicy Policy() => new NetworkPolicy($"{name}-api", ComponentLabels.Select(name)).To(
        NetworkPeer.Whole(chart.Values.Whole(
            "deletionCost.apiPeers",
            new JsonArray([.. _privateNetworks.Select(network => new JsonObject { ["ipBlock"] = new JsonObject { ["cidr"] = network } })]),
            "Where the cluster's API is, as network policies have it; workers reach nothing else by its ports. Private networks, "
            + "until you narrow it to yours, or name its public address.")),
        "443",
        chart.Values.Number("deletionCost.apiPort", 6443, "Port of the API servers, beside the 443 of their Service.", least: 1, most: 65535));

    // The cluster mounts a token into every container that has nothing else in that place. Servers run other people's code, and need none.
    private static void HideToken(ContainerV1 server) => server.VolumeMounts.Add(new() { Name = "tmp", MountPath = TokenFolder, SubPath = "no-token", ReadOnly = true });
}
