{{/*
Prefix of all names. At most 46 characters of [-a-z0-9], so that every suffix fits into a DNS label. Where the release's
name is cut or a dot replaced, a digest of the whole keeps two releases two.
*/}}
{{- define "autopack.fullname" -}}
{{- $chart := default .Chart.Name .Values.nameOverride -}}
{{- $full := default (ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name)) .Values.fullnameOverride -}}
{{- if or (gt (len $full) 46) (contains "." $full) -}}
{{- printf "%s-%s" ($full | replace "." "-" | trunc 37 | trimSuffix "-") ($full | sha256sum | trunc 8) -}}
{{- else -}}
{{- $full -}}
{{- end -}}
{{- end -}}

{{- define "autopack.operatorName" -}}{{ include "autopack.fullname" . }}-operator{{- end -}}
{{- define "autopack.volumeName" -}}{{ include "autopack.fullname" . }}-volume{{- end -}}
{{- define "autopack.gitCredentialsName" -}}{{ include "autopack.volumeName" . }}-git{{- end -}}
{{- define "autopack.publisherName" -}}{{ include "autopack.fullname" . }}-publisher{{- end -}}
{{- define "autopack.runName" -}}{{ include "autopack.fullname" . }}-run{{- end -}}

{{- define "autopack.gatewayName" -}}{{ include "autopack.fullname" . }}-gateway{{- end -}}
{{- define "autopack.gatewayUrl" -}}http://{{ include "autopack.gatewayName" . }}.{{ .Release.Namespace }}.svc:8080{{- end -}}

{{/* Audience of the tokens by which runs' pods and the operator prove themselves to the gateway. */}}
{{- define "autopack.gatewayAudience" -}}autopack-gateway{{- end -}}

{{- define "autopack.dashboardName" -}}{{ include "autopack.fullname" . }}-dashboard{{- end -}}
{{- define "autopack.dashboardUser" -}}system:serviceaccount:{{ .Release.Namespace }}:{{ include "autopack.dashboardName" . }}{{- end -}}

{{/* Who may read files of runs over HTTP. */}}
{{- define "autopack.volumeReaders" -}}
{{- $dashboard := ternary (list (include "autopack.dashboardUser" .)) list .Values.dashboard.enabled -}}
{{- join "," (concat $dashboard .Values.volume.allowedReaders) -}}
{{- end -}}

{{/* Cluster-scoped. Neither part has a dot, so no two installations share it. */}}
{{- define "autopack.tokenReviewerName" -}}{{ include "autopack.dashboardName" . }}.{{ .Release.Namespace }}.autopack.dev{{- end -}}

{{/* Cluster-scoped. Neither part has a dot, so no two installations share it. */}}
{{- define "autopack.admissionPolicyName" -}}{{ include "autopack.fullname" . }}.{{ .Release.Namespace }}.pods.autopack.dev{{- end -}}

{{/* Cluster-scoped, likewise. */}}
{{- define "autopack.approvalPolicyName" -}}{{ include "autopack.fullname" . }}.{{ .Release.Namespace }}.approvals.autopack.dev{{- end -}}

{{/* Cluster-scoped, likewise. Takes (dict "root" $ "role" "…"). */}}
{{- define "autopack.userRoleName" -}}{{ include "autopack.fullname" .root }}.{{ .root.Release.Namespace }}.{{ .role }}.autopack.dev{{- end -}}

{{/*
The same in every release: an operator serves its whole namespace, so Helm has to refuse a second release there, which
it does when two releases make an object of one name.
*/}}
{{- define "autopack.leaderLeaseName" -}}autopack-operator-leader{{- end -}}

{{- define "autopack.claimName" -}}
{{- default (printf "%s-runs" (include "autopack.fullname" .)) .Values.storage.existingClaim -}}
{{- end -}}

{{/* "claim", "memory" or "postgres": where the registry's database is. */}}
{{- define "autopack.registryKind" -}}
{{- if .Values.registry.databaseSecret -}}postgres{{- else if .Values.registry.persistent -}}claim{{- else -}}memory{{- end -}}
{{- end -}}

{{- define "autopack.registryClaimName" -}}{{ include "autopack.fullname" . }}-registry{{- end -}}

{{- define "autopack.operatorUser" -}}system:serviceaccount:{{ .Release.Namespace }}:{{ include "autopack.operatorName" . }}{{- end -}}

{{/* Audience of the token by which the operator proves itself to the volume service. */}}
{{- define "autopack.volumeAudience" -}}autopack-volume{{- end -}}

{{/* Audience of the token by which the operator proves itself to the publisher. */}}
{{- define "autopack.publisherAudience" -}}autopack-publisher{{- end -}}

{{- define "autopack.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}{{ $image.repository }}@{{ $image.digest }}{{- else -}}{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}{{- end -}}
{{- end -}}
