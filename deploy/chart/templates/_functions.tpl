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
