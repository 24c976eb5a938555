{{/* The keys of a Secret that a kind of git credential uses, as JSON. Takes the kind. */}}
{{- define "autopack.gitSecretKeys" -}}
{{- $keys := dict "None" list "Basic" (list "username" "password") "Bearer" (list "bearerToken") "SSH" (list "identity" "known_hosts") "GitHubApp" (list "githubAppID" "githubAppInstallationID" "githubAppPrivateKey") -}}
{{- concat (get $keys .) (list "ca.crt" "caFile") | toJson -}}
{{- end -}}

{{/* Declarations of git credentials as their service reads them: names and prefixes, never a secret. Takes the list. */}}
{{- define "autopack.declaredCredentials" -}}
{{- $declared := list -}}
{{- range . -}}{{- $declared = append $declared (omit . "caBundle") -}}{{- end -}}
{{- toPrettyJson $declared -}}
{{- end -}}

{{/*
The sources of a projected volume with the declarations and their Secrets. Takes (dict "credentials" [...] "declared"
"name of the ConfigMap").
*/}}
{{- define "autopack.credentialSources" -}}
- configMap: {name: {{ .declared }}}
{{- range .credentials }}
{{- $name := .name }}
{{- $keys := include "autopack.gitSecretKeys" .kind | fromJsonArray }}
{{- if and (eq .kind "SSH") .host }}
{{- /* The key is for git; the host's API wants a token. */}}
{{- $keys = append $keys "bearerToken" }}
{{- end }}
{{- with .secretName }}
# Optional, as a whole and by key: what one repository lacks must not keep all others waiting.
- secret:
    name: {{ . | quote }}
    optional: true
    items:
      {{- range $key := $keys }}
      - {key: {{ $key }}, path: secrets/{{ $name }}/{{ $key }}}
      {{- end }}
{{- end }}
{{- with .caBundle }}
- configMap:
    name: {{ .configMapName | quote }}
    optional: true
    items:
      - {key: {{ .key | default "ca.crt" | quote }}, path: ca/{{ $name }}/ca.crt}
{{- end }}
{{- end }}
{{- end -}}
