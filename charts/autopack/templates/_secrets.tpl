{{/* The names of all Secrets that a value refers to by secretKeyRef, at whatever depth, a space after each. */}}
{{- define "autopack.referredSecrets" -}}
{{- if kindIs "map" . -}}
{{- range $key, $value := . -}}
{{- if eq $key "secretKeyRef" }}{{ $value.name }} {{ else }}{{ include "autopack.referredSecrets" $value }}{{ end -}}
{{- end -}}
{{- else if kindIs "slice" . -}}
{{- range . }}{{ include "autopack.referredSecrets" . }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* CEL: whether a run may have something of the Secret called `n`. */}}
{{- define "autopack.allowsSecret" -}}
{{- $names := .Values.admissionPolicy.allowedSecrets -}}
{{- if .Values.defaultProfile.enabled -}}
{{- $referred := include "autopack.referredSecrets" .Values.defaultProfile | splitList " " -}}
{{- $ofAgents := include "autopack.agents" . | fromYamlArray | include "autopack.referredSecrets" | splitList " " -}}
{{- $names = concat $names $referred $ofAgents (list .Values.defaultProfile.database.secretName) -}}
{{- end -}}
{{- $tests := list -}}
{{- range $names | compact | uniq | sortAlpha -}}
{{- $test := ternary (printf "n.startsWith('%s')" (trimSuffix "*" .)) (printf "n == '%s'" .) (hasSuffix "*" .) -}}
{{- $tests = append $tests $test -}}
{{- end -}}
({{ join " || " $tests | default "false" }})
{{- end -}}
