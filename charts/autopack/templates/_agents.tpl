{{/*
The agents of the default profile, as YAML: the presets for which there is an image, then the administrator's own. Where
there is a gateway, none has a key: it has a word in its place, and what leads it to the relay in its pod.
*/}}
{{- define "autopack.agents" -}}
{{- $agents := list -}}
{{- $relays := include "autopack.relays" . | fromYaml -}}
{{- range $name, $preset := .Values.agents.presets -}}
{{- $image := default $.Values.agents.image $preset.image -}}
{{- if $image -}}
{{- $env := default list $preset.env -}}
{{- $command := $preset.command -}}
{{- if $.Values.gateway.enabled -}}
{{- range $variable, $key := $preset.keys -}}
{{- $env = append $env (dict "name" $variable "value" "autopack-gateway") -}}
{{- end -}}
{{- $way := default dict $preset.gateway -}}
{{- range $variable, $value := $way.env -}}
{{- $env = append $env (dict "name" $variable "value" (include "autopack.relayed" (dict "text" $value "relays" $relays))) -}}
{{- end -}}
{{- range $way.args -}}
{{- $command = append $command (include "autopack.relayed" (dict "text" . "relays" $relays)) -}}
{{- end -}}
{{- else -}}
{{- range $variable, $key := ternary $preset.keys dict (ne $.Values.agents.keysSecret "") -}}
{{- $ref := dict "name" $.Values.agents.keysSecret "key" $key -}}
{{- $env = append $env (dict "name" $variable "valueFrom" (dict "secretKeyRef" $ref)) -}}
{{- end -}}
{{- end -}}
{{- $agent := omit $preset "keys" "env" "image" "gateway" "command" | merge (dict "name" $name "image" $image "command" $command) -}}
{{- $agents = append $agents (ternary (merge (dict "env" $env) $agent) $agent (gt (len $env) 0)) -}}
{{- end -}}
{{- end -}}
{{- concat $agents .Values.defaultProfile.agents | toYaml -}}
{{- end -}}

{{/* Where agents find the first provider of each API, as YAML. The port is the operator's (domain/pod/gateway.py). */}}
{{- define "autopack.relays" -}}
{{- $found := dict -}}
{{- range reverse .Values.gateway.providers -}}
{{- $_ := set $found (ternary "anthropic" "openai" (eq .api "anthropic")) (printf "http://127.0.0.1:18734/%s" .name) -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* A text with {anthropic} and {openai} filled in. Takes (dict "text" "…" "relays" …). */}}
{{- define "autopack.relayed" -}}
{{- .text | replace "{anthropic}" (default "http://127.0.0.1:18734/anthropic" .relays.anthropic) | replace "{openai}" (default "http://127.0.0.1:18734/openai" .relays.openai) -}}
{{- end -}}

{{/* The providers that the default profile's runs may use, as YAML. */}}
{{- define "autopack.profileProviders" -}}
{{- $providers := list -}}
{{- if .Values.gateway.enabled -}}
{{- $providers = .Values.defaultProfile.providers -}}
{{- if not $providers -}}
{{- range .Values.gateway.providers -}}
{{- $providers = append $providers (pick . "name" "api" "models") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $providers -}}
{{- end -}}
