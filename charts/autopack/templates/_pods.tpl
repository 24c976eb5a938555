{{/*
One uid and gid for everything that touches the volume: fsGroup does nothing on most network file systems. Large numbers
of a values file are floats to Helm.
*/}}
{{- define "autopack.runAsUser" -}}{{ int64 .Values.podSecurity.runAsUser }}{{- end -}}
{{- define "autopack.runAsGroup" -}}{{ int64 .Values.podSecurity.runAsGroup }}{{- end -}}

{{- define "autopack.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ include "autopack.runAsUser" . }}
runAsGroup: {{ include "autopack.runAsGroup" . }}
fsGroup: {{ include "autopack.runAsGroup" . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "autopack.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The three probes of a component that serves /livez and /readyz on its port `http`. */}}
{{- define "autopack.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}

{{/* Where a component's pods go. Takes the component's values. */}}
{{- define "autopack.placement" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where the registry is. Takes (dict "root" $ "secret" "name of the Secret with the database's address, or empty"). */}}
{{- define "autopack.registryEnv" -}}
- {name: AUTOPACK_INSTALLATION, value: {{ default .root.Release.Namespace .root.Values.registry.installation | quote }}}
- {name: AUTOPACK_REGISTRY_DIR, value: /var/lib/autopack}
{{- with .secret }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ . | quote }}, key: {{ $.root.Values.registry.databaseSecretKey | quote }}}
{{- end }}
{{- end -}}

{{/* A volume that only one node can mount: everything that has it goes where the volume service is. */}}
{{- define "autopack.nodeOfVolume" -}}
podAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels: {{- include "autopack.selectorLabels" (dict "root" . "component" "volume") | nindent 10 }}
{{- end -}}
