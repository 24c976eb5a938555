{{/*
The agents of the default profile, as YAML: the presets for which there is an image, then the administrator's own.
*/}}
{{- define "autopack.agents" -}}
{{- $agents := list -}}
{{- range $name, $preset := .Values.agents.presets -}}
{{- $image := default $.Values.agents.image $preset.image -}}
{{- if $image -}}
{{- $env := default list $preset.env -}}
{{- range $variable, $key := ternary $preset.keys dict (ne $.Values.agents.keysSecret "") -}}
{{- $ref := dict "name" $.Values.agents.keysSecret "key" $key -}}
{{- $env = append $env (dict "name" $variable "valueFrom" (dict "secretKeyRef" $ref)) -}}
{{- end -}}
{{- $agent := omit $preset "keys" "env" "image" | merge (dict "name" $name "image" $image) -}}
{{- $agents = append $agents (ternary (merge (dict "env" $env) $agent) $agent (gt (len $env) 0)) -}}
{{- end -}}
{{- end -}}
{{- concat $agents .Values.defaultProfile.agents | toYaml -}}
{{- end -}}
