{{/*
The pod of a part, for StatefulSets, Deployments and Jobs alike: metadata and spec.
Call with root, part, row (of the table), values (of the part), and for Jobs with `wait`, the addresses to wait for.
*/}}
{{- define "foretick.podMetadata" -}}
labels: {{- include "foretick.labels" . | nindent 2 }}
{{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
{{- end }}
annotations:
  # A part reads its environment when it starts: another one is another pod.
  checksum/environment: {{ include "foretick.environment" .root | sha256sum }}
{{- with .root.Values.commonAnnotations }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "foretick.podSpec" -}}
{{- $v := .root.Values }}
{{- $full := include "foretick.fullname" .root }}
{{- $home := .row.home }}
{{- $secrets := include "foretick.secretSources" . }}
{{- $ours := not (has .part (list "registry" "mlflow")) }}
{{- $makesToken := and (eq .part "gateway") $home }}
serviceAccountName: {{ include "foretick.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false {{- /* they would set FORETICK_GATEWAY_PORT, which is a setting */}}
securityContext: {{- include "foretick.podSecurity" .row | nindent 2 }}
{{- with $v.image.pullSecrets }}
imagePullSecrets: {{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- if .row.once }}
restartPolicy: {{ eq .part "test" | ternary "Never" "OnFailure" }}
{{- else }}
terminationGracePeriodSeconds: 30
{{- end }}
{{- with merge dict (.values.nodeSelector | default dict) $v.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat $v.tolerations (.values.tolerations | default list) }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName | default $v.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if not .row.once }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "foretick.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- if or .wait $makesToken }}
initContainers:
  {{- if .wait }}
  {{- include "foretick.wait" (dict "root" .root "image" .row.image "urls" .wait) | nindent 2 }}
  {{- end }}
  {{- if $makesToken }}
  - name: token
    image: {{ include "foretick.image" (dict "root" .root "image" "gateway") }}
    imagePullPolicy: {{ $v.image.pullPolicy }}
    command: [python, -m, gateway.access.tokens, {{ $home }}/tokens]
    resources: {{- toYaml $v.waiting.resources | nindent 6 }}
    securityContext: {{- include "foretick.containerSecurity" . | nindent 6 }}
    volumeMounts:
      - {name: home, mountPath: {{ $home }}}
  {{- end }}
{{- end }}
containers:
  - name: {{ .part }}
    image: {{ include "foretick.image" (dict "root" .root "image" .row.image) }}
    imagePullPolicy: {{ $v.image.pullPolicy }}
    {{- with .command | default .row.command }}
    command: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .args }}
    args: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- if $ours }}
    envFrom:
      - configMapRef: {name: {{ $full }}-environment}
      {{- if and .row.mlflow (eq $v.mlflow.mode "address") $v.mlflow.address.existingSecret }}
      - secretRef: {name: {{ $v.mlflow.address.existingSecret }}}
      {{- end }}
    {{- end }}
    {{- with include "foretick.env" . | trim }}
    env: {{- . | nindent 6 }}
    {{- end }}
    {{- if not .row.once }}
    {{- $probes := .row.probes | default (dict "port" .row.port "live" "/health/live" "ready" "/health/ready") }}
    {{- $scheme := and (eq .part "gateway") $v.gateway.tls.existingSecret | empty | ternary "HTTP" "HTTPS" }}
    ports:
      - {name: http, containerPort: {{ .row.port }}}
      {{- if ne (int $probes.port) (int .row.port) }}
      - {name: health, containerPort: {{ $probes.port }}}
      {{- end }}
    startupProbe:
      httpGet: {path: {{ $probes.live }}, port: {{ $probes.port }}, scheme: {{ $scheme }}}
      periodSeconds: 5
      timeoutSeconds: 4
      failureThreshold: 60
    livenessProbe:
      httpGet: {path: {{ $probes.live }}, port: {{ $probes.port }}, scheme: {{ $scheme }}}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: {path: {{ $probes.ready }}, port: {{ $probes.port }}, scheme: {{ $scheme }}}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 3
    {{- end }}
    resources: {{- toYaml .values.resources | nindent 6 }}
    securityContext: {{- include "foretick.containerSecurity" . | nindent 6 }}
    volumeMounts:
      - {name: tmp, mountPath: /tmp}
      {{- if $home }}
      - {name: home, mountPath: {{ $home }}}
      {{- end }}
      {{- if eq .row.image "forecasting" }}
      - {name: shm, mountPath: /dev/shm}
      {{- end }}
      {{- if $secrets }}
      - {name: secrets, mountPath: /run/secrets/foretick, readOnly: true}
      {{- end }}
      {{- if and .row.log (eq $v.kafka.mode "strimzi") }}
      - {name: kafka, mountPath: /run/secrets/foretick-kafka, readOnly: true}
      {{- end }}
      {{- if and .row.log (eq $v.kafka.mode "address") $v.kafka.address.caConfigMap }}
      - {name: kafka-ca, mountPath: /etc/foretick/kafka, readOnly: true}
      {{- end }}
      {{- if and .row.mongodb (eq $v.mongodb.mode "operator") $v.mongodb.operator.tls.certificateSecret }}
      - {name: mongodb-ca, mountPath: /etc/foretick/mongodb, readOnly: true}
      {{- end }}
      {{- if and (eq .part "producers") (eq $v.market.source "rest") }}
      - {name: rest, mountPath: /etc/foretick/rest, readOnly: true}
      {{- end }}
      {{- if eq .part "gateway" }}
      {{- if $v.gateway.tokens.existingSecret }}
      - {name: tokens, mountPath: /run/secrets/foretick-tokens, readOnly: true}
      {{- end }}
      {{- if $v.gateway.tls.existingSecret }}
      - {name: tls, mountPath: /run/secrets/foretick-tls, readOnly: true}
      {{- end }}
      {{- end }}
      {{- with .values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: tmp
    emptyDir: {}
  {{- if eq .row.image "forecasting" }}
  - name: shm # workers hand arrays to each other here, and the runtime's own has 64 MB
    emptyDir: {medium: Memory, sizeLimit: 512Mi}
  {{- end }}
  {{- if and $home (ne .row.kind "StatefulSet") }}
  - name: home
    persistentVolumeClaim: {claimName: {{ $full }}-{{ .part }}}
  {{- end }}
  {{- with $secrets }}
  - name: secrets
    projected:
      defaultMode: 0440
      sources: {{- . | nindent 8 }}
  {{- end }}
  {{- if and .row.log (eq $v.kafka.mode "strimzi") }}
  - name: kafka
    projected:
      defaultMode: 0440
      sources:
        - secret:
            name: {{ $full }}-cluster-ca-cert
            items: [{key: ca.crt, path: ca.crt}]
        - secret:
            name: {{ $full }}-{{ .part }}
            items: [{key: user.crt, path: user.crt}, {key: user.key, path: user.key}]
  {{- end }}
  {{- if and .row.log (eq $v.kafka.mode "address") $v.kafka.address.caConfigMap }}
  - name: kafka-ca
    configMap: {name: {{ $v.kafka.address.caConfigMap }}}
  {{- end }}
  {{- if and .row.mongodb (eq $v.mongodb.mode "operator") $v.mongodb.operator.tls.certificateSecret }}
  - name: mongodb-ca
    configMap: {name: {{ $v.mongodb.operator.tls.caConfigMap }}}
  {{- end }}
  {{- if and (eq .part "producers") (eq $v.market.source "rest") }}
  - name: rest
    configMap: {name: {{ $v.market.rest.configMap }}}
  {{- end }}
  {{- if eq .part "gateway" }}
  {{- with $v.gateway.tokens }}
  {{- if .existingSecret }}
  - name: tokens
    secret:
      secretName: {{ .existingSecret }}
      defaultMode: 0440
      items: [{key: {{ .key }}, path: tokens}]
  {{- end }}
  {{- end }}
  {{- with $v.gateway.tls.existingSecret }}
  - name: tls
    secret: {secretName: {{ . }}, defaultMode: 0440}
  {{- end }}
  {{- end }}
  {{- with .values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* The claim of a part's volume: the spec. */}}
{{- define "foretick.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .values.persistence.storageClass | default .root.Values.storageClass }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .values.persistence.size }}
{{- end }}
