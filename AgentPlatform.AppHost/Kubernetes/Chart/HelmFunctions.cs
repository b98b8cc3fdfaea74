using System.Globalization;
using System.Text.RegularExpressions;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>Named templates that the chart's templates include as functions, and the escaping of values by one of them.</summary>
internal static partial class HelmFunctions
{
    /// <summary>Name of the file that defines the functions, in the chart's folder of templates.</summary>
    public const string File = "_functions.tpl";

    private const string Factors = "dict \"\" 1 \"k\" 1000 \"M\" 1000000 \"G\" 1000000000 \"T\" 1000000000000 "
        + "\"Ki\" 1024 \"Mi\" 1048576 \"Gi\" 1073741824 \"Ti\" 1099511627776";

    /// <summary>
    /// <c>escaped</c> returns a value as it is written between double quotes in JSON, and therefore in YAML. <c>replicas</c> returns the
    /// replicas of a Deployment that an autoscaler scales: the minimum for a new Deployment, the current number as long as Helm owns the
    /// field (without it, Kubernetes would scale to 1), and nothing once the autoscaler owns it. <c>share</c> returns a fraction of a
    /// quantity in bytes, within bounds; <c>nodes</c> the broker's nodes in the format of its configuration.
    /// </summary>
    public const string Text = $$$"""
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
        {{- $factors := {{{Factors}}} -}}
        {{- $bytes := mulf (regexFind "^[0-9.]+" .of | float64) (get $factors (regexFind "[A-Za-z]*$" .of)) -}}
        {{- divf (mulf $bytes .times) .by | int64 | min (.most | int64) | max (.least | int64) -}}
        {{- end }}

        """;

    /// <summary>The replicas of a Deployment that an autoscaler scales.</summary>
    /// <param name="deployment">Name of the Deployment.</param>
    /// <param name="min">Path of the minimum in values.yaml.</param>
    public static string Replicas(string deployment, string min) =>
        $"{{{{ include `replicas` (dict `namespace` .Release.Namespace `name` `{deployment}` `least` {min} "
        + "`helm` .Capabilities.HelmVersion.Version) }}";

    /// <summary>Regular expression of the quantities that <see cref="Share"/> accepts, such as 512Mi and 1.5G.</summary>
    public const string QuantityPattern = "^[0-9]+(\\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$";

    /// <summary>A fraction of a quantity of memory or storage, in bytes.</summary>
    /// <param name="path">Path of the quantity in values.yaml, which matches <see cref="QuantityPattern"/>.</param>
    /// <param name="by">Denominator of the fraction.</param>
    /// <param name="times">Numerator of the fraction.</param>
    /// <param name="min">Lower bound in bytes.</param>
    /// <param name="max">Upper bound in bytes.</param>
    public static string Share(string path, int by, int times = 1, long min = 0, long max = long.MaxValue) => string.Create(
        CultureInfo.InvariantCulture,
        $"{{{{ include `share` (dict `of` .Values.{path} `times` {times} `by` {by} `least` {min} `most` {max}) }}}}");

    /// <summary>Escapes a value inside JSON that is itself a string in YAML.</summary>
    /// <param name="expression">The expression, with its braces.</param>
    public static string InJson(string expression) => $"{{{{ include `escaped` ({expression.Trim('{', '}', ' ')}) }}}}";

    /// <summary>Escapes every value between double quotes, so that no value can end the string.</summary>
    public static string EscapeTexts(string template) =>
        QuotedText().Replace(template, static text => ValueExpression().Replace(text.Value, static value => InJson(value.Value)));

    // - name: "a \" {{ .Values.a.b }}"
    [GeneratedRegex("""(?<=[:-] )"(?:[^"\\\n]|\\.)*"$""", RegexOptions.Multiline)]
    private static partial Regex QuotedText();

    // "{{ .Values.a.b | default `c` }}", but not "{{ if .Values.a.b }}".
    [GeneratedRegex(@"\{\{ (?!if |else\b|end\b)[^{}]*\.Values\.[^{}]*\}\}")]
    private static partial Regex ValueExpression();
}
