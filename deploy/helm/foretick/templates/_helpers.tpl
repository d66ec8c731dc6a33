{{/* Names */}}

{{- define "foretick.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 36 | trimSuffix "-" }}
{{- end }}

{{/* Short enough that the name of a part, of a Job and of Strimzi's own resources can follow. */}}
{{- define "foretick.fullname" -}}
{{- $name := include "foretick.name" . }}
{{- $long := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $long | trunc 36 | trimSuffix "-" }}
{{- end }}

{{/* Labels. Call with (dict "root" $ "part" "gateway"); without a part: what belongs to all. */}}

{{- define "foretick.selector" -}}
app.kubernetes.io/name: {{ include "foretick.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .part }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "foretick.labels" -}}
{{ include "foretick.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: foretick
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "foretick.metadata" -}}
labels: {{- include "foretick.labels" . | nindent 2 }}
{{- with merge dict (.annotations | default dict) .root.Values.commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What a check of the chart is told, where a part cannot do as it asks. */}}
{{- define "foretick.excuses" -}}
{{- if and .row.mlflow (eq .root.Values.mlflow.mode "address") .root.Values.mlflow.address.existingSecret }}
checkov.io/skip35: CKV_K8S_35=MLflow's client takes its login from the environment alone
{{- end }}
{{- end }}

{{/* Images, as the Dockerfile's targets are called. Call with (dict "root" $ "image" "producers"). */}}
{{- define "foretick.image" -}}
{{- $image := .root.Values.image }}
{{- $path := list $image.registry $image.repository .image | compact | join "/" }}
{{- $digest := get $image.digests .image }}
{{- if $digest }}
{{- printf "%s@%s" $path $digest }}
{{- else }}
{{- printf "%s:%s" $path ($image.tag | default .root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "foretick.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "foretick.fullname" .) }}
{{- end }}

{{/* Addresses */}}

{{- define "foretick.url" -}}
{{- printf "http://%s-%s:%v" (include "foretick.fullname" .root) .part .port }}
{{- end }}

{{- define "foretick.kafka" -}}
{{- if eq .Values.kafka.mode "strimzi" }}
{{- printf "%s-kafka-bootstrap:9093" (include "foretick.fullname" .) }}
{{- else }}
{{- .Values.kafka.address.bootstrap }}
{{- end }}
{{- end }}

{{- define "foretick.registry" -}}
{{- if eq .Values.registry.mode "chart" }}
{{- include "foretick.url" (dict "root" . "part" "registry" "port" 8080) }}/apis/ccompat/v7
{{- else }}
{{- .Values.registry.address.url }}
{{- end }}
{{- end }}

{{- define "foretick.mlflow" -}}
{{- if eq .Values.mlflow.mode "chart" }}
{{- include "foretick.url" (dict "root" . "part" "mlflow" "port" 5000) }}
{{- else }}
{{- .Values.mlflow.address.url }}
{{- end }}
{{- end }}

{{/* The host names by which others in the cluster call a part, as JSON: FORETICK_HOSTS. */}}
{{- define "foretick.hosts" -}}
{{- $name := printf "%s-%s" (include "foretick.fullname" .root) .part }}
{{- $space := .root.Release.Namespace }}
{{- $hosts := list $name (printf "%s.%s" $name $space) (printf "%s.%s.svc" $name $space) }}
{{- if eq .part "gateway" }}
{{- $hosts = concat $hosts .root.Values.gateway.hosts }}
{{- if .root.Values.ingress.enabled }}{{ $hosts = append $hosts .root.Values.ingress.host }}{{ end }}
{{- end }}
{{- $hosts | uniq | toJson }}
{{- end }}

{{/* What a namespace that enforces the restricted Pod Security Standard asks for, and a little more. */}}

{{- define "foretick.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: {{ .group | default 10001 }}
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "foretick.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* A container that ends once every address answers 200. Call with (dict "root" $ "urls" (list ...)). */}}
{{- define "foretick.wait" -}}
- name: wait
  image: {{ include "foretick.image" (dict "root" .root "image" .image) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command: {{- list "python" "-c" (.root.Files.Get "files/wait.py") | toYaml | nindent 4 }}
  args: {{- toYaml .urls | nindent 4 }}
  resources: {{- toYaml .root.Values.waiting.resources | nindent 4 }}
  securityContext: {{- include "foretick.containerSecurity" . | nindent 4 }}
{{- end }}

{{/* The port of a URL, also where it is not written. */}}
{{- define "foretick.portOf" -}}
{{- $url := urlParse . }}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" }}
{{- $port | default (eq $url.scheme "https" | ternary "443" "80") }}
{{- end }}
