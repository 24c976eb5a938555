{{/* What an upgrade must not change: the selectors of Deployments are immutable. Takes (dict "root" $ "component" "…"). */}}
{{- define "autopack.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "autopack.labels" -}}
{{ include "autopack.selectorLabels" . }}
app.kubernetes.io/part-of: autopack
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Labels of the pods that the operator makes for runs. */}}
{{- define "autopack.runPodLabels" -}}
app.kubernetes.io/managed-by: autopack-operator
app.kubernetes.io/component: run
{{- end -}}

{{/* A set of labels as the text `key=value,key=value`. */}}
{{- define "autopack.labelText" -}}
{{- $pairs := list -}}
{{- range $key, $value := . -}}{{- $pairs = append $pairs (printf "%s=%s" $key $value) -}}{{- end -}}
{{- join "," $pairs -}}
{{- end -}}
