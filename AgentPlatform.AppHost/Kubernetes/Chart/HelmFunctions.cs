using System.Globalization;
using System.Text.RegularExpressions;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>Functions in Helm's language that the chart's templates call, and the escaping of values by one of them.</summary>
internal static partial class HelmFunctions
{
    /// <summary>Their file among the templates.</summary>
    public const string File = "_functions.tpl";

    /// <summary>
    /// <c>escaped</c> gives a value as it stands between double quotes in JSON, and so in YAML. <c>replicas</c> gives the number of a
    /// Deployment that an autoscaler scales: the least one where there is none yet, then what it is while Helm is the one who has set it
    /// (else Kubernetes would make it 1), and nothing once somebody else has. <c>share</c> gives a share of a quantity in bytes, within
    /// bounds; <c>nodes</c> the broker's nodes, as its configuration names them.
    /// </summary>
    public const string Text = """
        {{- define "escaped" -}}
        {{ . | toString | toJson | trimPrefix "\"" | trimSuffix "\"" }}
        {{- end }}
        {{- define "replicas" -}}
        {{- $live := lookup "apps/v1" "Deployment" .namespace .name -}}
        {{- $isHelms := hasPrefix "v3." .helm -}}
        {{- range dig "metadata" "managedFields" list ($live | default dict) -}}
        {{- if and (eq .operation "Apply") (hasKey (get .fieldsV1 "f:spec" | default dict) "f:replicas") -}}
        {{- $isHelms = true -}}
        {{- end -}}
        {{- end -}}
        {{- if not $live }}{{ .least | int }}{{ else if $isHelms }}{{ $live.spec.replicas | int }}{{ else }}null{{ end -}}
        {{- end }}
        {{- define "nodes" -}}
        {{- $namespace := .namespace -}}
        {{- range $i := until (.count | int) -}}
        cluster_formation.classic_config.nodes.{{ add1 $i }} = rabbit@messaging-statefulset-{{ $i }}.messaging-nodes.{{ $namespace }}
        {{ end -}}
        {{- end }}
        {{- define "share" -}}
        {{- $factors := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
        {{- $bytes := mulf (regexFind "^[0-9.]+" .of | float64) (get $factors (regexFind "[A-Za-z]*$" .of)) -}}
        {{- divf (mulf $bytes .times) .by | int64 | min (.most | int64) | max (.least | int64) -}}
        {{- end }}

        """;

    /// <summary>The number of a Deployment's pods at least, and of those that there are.</summary>
    /// <param name="deployment">Name of the Deployment.</param>
    /// <param name="least">Path of the value.</param>
    public static string Replicas(string deployment, string least) =>
        $"{{{{ include `replicas` (dict `namespace` .Release.Namespace `name` `{deployment}` `least` {least} `helm` .Capabilities.HelmVersion.Version) }}}}";

    /// <summary>What <see cref="Share"/> reads: 512Mi, 1.5G.</summary>
    public const string QuantityPattern = "^[0-9]+(\\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$";

    /// <summary>A share of a quantity of memory or storage, in bytes.</summary>
    /// <param name="path">Path of the value, whose form is <see cref="QuantityPattern"/>.</param>
    /// <param name="by">Denominator of the share.</param>
    /// <param name="times">Its numerator.</param>
    /// <param name="least">Bytes at least.</param>
    /// <param name="most">Bytes at most.</param>
    public static string Share(string path, int by, int times = 1, long least = 0, long most = long.MaxValue) => string.Create(
        CultureInfo.InvariantCulture, $"{{{{ include `share` (dict `of` .Values.{path} `times` {times} `by` {by} `least` {least} `most` {most}) }}}}");

    /// <summary>A value inside JSON, which is a text of YAML in its turn.</summary>
    /// <param name="expression">The expression, with its braces.</param>
    public static string InJson(string expression) => $"{{{{ include `escaped` ({expression.Trim('{', '}', ' ')}) }}}}";

    /// <summary>Escapes every value in a text between double quotes, so that whatever it is, it stays within them.</summary>
    public static string EscapeTexts(string template) =>
        QuotedText().Replace(template, static text => ValueExpression().Replace(text.Value, static value => InJson(value.Value)));

    // - name: "a \" {{ .Values.a.b }}"
    [GeneratedRegex("""(?<=[:-] )"(?:[^"\\\n]|\\.)*"$""", RegexOptions.Multiline)]
    private static partial Regex QuotedText();

    // "{{ .Values.a.b | default `c` }}", but not "{{ if .Values.a.b }}".
    [GeneratedRegex(@"\{\{ (?!if |else\b|end\b)[^{}]*\.Values\.[^{}]*\}\}")]
    private static partial Regex ValueExpression();
}
