{{/*
One uid and gid for everything that touches the volume: fsGroup does nothing on most network file systems.
*/}}
{{- define "autopack.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
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

{{/* Where the registry is: environment variables of the operator and the dashboard. */}}
{{- define "autopack.registryEnv" -}}
- {name: AUTOPACK_INSTALLATION, value: {{ default .Release.Namespace .Values.registry.installation | quote }}}
- {name: AUTOPACK_REGISTRY_DIR, value: /var/lib/autopack}
{{- with .Values.registry }}
{{- if .databaseSecret }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ .databaseSecret | quote }}, key: {{ .databaseSecretKey | quote }}}
{{- end }}
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
