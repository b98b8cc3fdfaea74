namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>Rejects every change that an account makes to pods, except that of its own pod's deletion cost.</summary>
/// <seealso href="https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/"/>
internal sealed class PodAdmissionPolicy(string name, string account)
    : NamedObject("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", name)
{
    private const string Cost = "'controller.kubernetes.io/pod-deletion-cost'";
    private const string OwnName = "'authentication.kubernetes.io/pod-name'";

    public PolicySpec Spec { get; } = new(account);

    // A CEL expression: the field has not changed, and was neither added nor removed.
    private static string IsSame(string field) =>
        $"has(object.{field}) == has(oldObject.{field}) && (!has(object.{field}) || object.{field} == oldObject.{field})";

    // A CEL expression: the only annotation of one object that the other lacks or has with another value is the deletion cost.
    private static string HasNoOtherAnnotations(string of, string than) =>
        $"(!has({of}.metadata.annotations) || {of}.metadata.annotations.all(key, key == {Cost} || "
        + $"(has({than}.metadata.annotations) && key in {than}.metadata.annotations "
        + $"&& {of}.metadata.annotations[key] == {than}.metadata.annotations[key])))";

    internal sealed class PolicySpec(string account)
    {
        public string FailurePolicy { get; } = "Fail";

        public Constraints MatchConstraints { get; } = new([new([""], ["v1"], ["UPDATE"], ["pods", "pods/status"])]);

        public IReadOnlyList<Condition> MatchConditions { get; } =
            [new("worker", $"request.userInfo.username == 'system:serviceaccount:{{{{ .Release.Namespace }}}}:{account}'")];

        public IReadOnlyList<Validation> Validations { get; } =
        [
            new(
                $"has(request.userInfo.extra) && {OwnName} in request.userInfo.extra "
                + $"&& request.userInfo.extra[{OwnName}] == [request.name]",
                "A worker may change its own pod only."),
            new(IsSame("metadata.labels"), "A worker may not change labels."),
            new(
                $"{HasNoOtherAnnotations("object", "oldObject")} && {HasNoOtherAnnotations("oldObject", "object")}",
                "A worker may set no annotation but its deletion cost."),
            new(IsSame("metadata.finalizers"), "A worker may not change finalizers."),
            new(IsSame("status"), "A worker may not change the status of a pod."),
        ];
    }

    internal sealed record Constraints(IReadOnlyList<ResourceRule> ResourceRules);

    internal sealed record ResourceRule(
        IReadOnlyList<string> ApiGroups,
        IReadOnlyList<string> ApiVersions,
        IReadOnlyList<string> Operations,
        IReadOnlyList<string> Resources);

    internal sealed record Condition(string Name, string Expression);

    internal sealed record Validation(string Expression, string Message);
}
