using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes;

/// <summary>
/// Lets the workers of a pool write what the end of their pod would cost, so that fewer replicas take idle ones away. They get an account
/// that may do this and nothing else; no other pod has one.
/// </summary>
internal sealed class DeletionCost(KubernetesChart chart, string name)
{
    private const string TokenFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

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

        // No role can be for one's own pod only: names of pods are not known. Who may write the status can set annotations, but not what a pod runs.
        service.AdditionalResources.Add(chart.When(_enabled, name, new Role(role, new Role.Rule([""], ["pods/status"], ["patch"]))));
        service.AdditionalResources.Add(chart.When(_enabled, name, new RoleBinding($"{name}-binding", role, account)));
        service.AdditionalResources.Add(chart.When($"and {ChartPolicies.Enabled(chart)} {_enabled}", name, Policy()));
    }

    // The worker asks at the Service's port; plugins that look at packets behind it see the port of the API server itself.
    private NetworkPolicy Policy() => new NetworkPolicy($"{name}-api", ComponentLabels.Select(name)).To(
        NetworkPeer.Addresses(chart.Values.Text("deletionCost.apiAddresses", "0.0.0.0/0", "Addresses of the cluster's API; policies let workers reach no other by its ports. Narrow it to yours.", "^[0-9A-Fa-f.:]+/[0-9]{1,3}$")),
        "443",
        chart.Values.Number("deletionCost.apiPort", 6443, "Port of the API servers, beside the 443 of their Service.", least: 1, most: 65535));

    // The cluster mounts a token into every container that has nothing else in that place. Servers run other people's code, and need none.
    private static void HideToken(ContainerV1 server) => server.VolumeMounts.Add(new() { Name = "tmp", MountPath = TokenFolder, SubPath = "no-token", ReadOnly = true });
}
