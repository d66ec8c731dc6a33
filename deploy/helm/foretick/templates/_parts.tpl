{{/*
The table of what runs: all templates read it, so a part has its Service, its PodDisruptionBudget and its NetworkPolicy
by standing here. It is YAML; call with the root and pipe it into fromYaml.

  image, command   as in the Dockerfile and docker-compose.yml
  kind             StatefulSet: at most one pod of an ordinal, which a Deployment does not promise while it rolls
  port             where others call it, and where its /health is (unless `probes` says otherwise)
  home             where its volume is mounted; none: it keeps nothing
  log              it reads or writes Kafka, and so asks the registry
  secrets          what is mounted for it, beside what `log` brings
  calls            the parts that it speaks to: NetworkPolicies open that way, and no other
  once             a Job: it runs to its end, and serves nobody
  waits            the parts that must be ready before it begins
*/}}
{{- define "foretick.table" -}}
{{- $v := .Values }}
{{- $replay := $v.replay.enabled }}
{{- $clock := $replay | ternary (list "exchange") list }}
exchange:
  enabled: {{ $replay }}
  image: producers
  kind: StatefulSet
  command: [python, -m, producers.exchange.api]
  port: 8010
  home: /var/lib/foretick
producers:
  enabled: true
  image: producers
  kind: StatefulSet
  port: 8011
  home: /var/lib/foretick
  log: true
  secrets: [vendor]
  calls: {{ $clock | toJson }}
  vendor: {{ not $replay }}
projections:
  enabled: true
  image: projections
  kind: StatefulSet
  command: # members share the partitions, and each would write the same snapshots: the first one does
    - sh
    - -ec
    - case $POD_NAME in *-0) ;; *) export FORETICK_SNAPSHOT_SECONDS=0 ;; esac; exec python -m projections.main
  port: 8012
  home: /var/lib/foretick
  log: true
  secrets: [mongodb]
  mongodb: true
forecasting:
  enabled: true
  image: forecasting
  kind: StatefulSet
  port: 8001
  home: /var/lib/foretick
  log: true
  mlflow: true
  calls: {{ $clock | toJson }}
scoring:
  enabled: true
  image: forecasting
  kind: StatefulSet
  command: [python, -m, forecasting.scoring.main]
  port: 8013
  home: /var/lib/foretick
  log: true
  calls: {{ $clock | toJson }}
gateway:
  enabled: true
  image: gateway
  kind: Deployment
  port: 8000
  home: {{ $v.gateway.tokens.existingSecret | empty | ternary "/var/lib/foretick" "" | quote }}
  log: true
  secrets: [mongodb]
  mongodb: true
  calls: {{ concat (list "producers" "projections" "forecasting" "scoring") $clock | toJson }}
registry:
  enabled: {{ eq $v.registry.mode "chart" }}
  image: registry
  kind: StatefulSet
  port: 8080
  group: 0
  home: /var/lib/apicurio
  probes: {port: 9000, live: /health/live, ready: /health/ready}
mlflow:
  enabled: {{ eq $v.mlflow.mode "chart" }}
  image: mlflow
  kind: StatefulSet
  port: 5000
  group: 0
  home: /var/lib/mlflow
  probes: {port: 5000, live: /health, ready: /health}
init:
  enabled: true
  once: true
  image: producers
  log: true
  command: [python, -m, streaming]
first-training:
  enabled: {{ $v.firstTraining.enabled }}
  once: true
  image: forecasting
  home: /var/lib/foretick
  log: true
  mlflow: true
  calls: {{ concat (list "producers") $clock | toJson }}
  command:
    - sh
    - -ec
    - test -e $FORETICK_HOME/trained || python -m forecasting.training.command; touch $FORETICK_HOME/trained
  waits: [producers]
start-clock:
  enabled: {{ and $replay $v.replay.startClock }}
  once: true
  image: producers
  calls: [exchange, forecasting, scoring, projections]
  waits: [forecasting, scoring, projections]
test:
  enabled: true
  once: true
  image: producers
  calls: {{ concat (list "gateway" "producers" "projections" "forecasting" "scoring") $clock | toJson }}
{{- end }}

{{/* The values of a part, whose name may have a hyphen. */}}
{{- define "foretick.valuesOf" -}}
{{- get .root.Values (camelcase (replace "-" "_" .part) | untitle) | toYaml }}
{{- end }}

{{/* Environment that all parts share; the ConfigMap's data. Airflow's tasks are given it, too. */}}
{{- define "foretick.environment" -}}
{{- $exchange := include "foretick.url" (dict "root" . "part" "exchange" "port" 8010) }}
FORETICK_BIND: 0.0.0.0
{{- /* The NetworkPolicies keep strangers out; that nobody listens in is for the cluster to see to. */}}
FORETICK_PRIVATE_NETWORK: "true"
FORETICK_KAFKA: {{ include "foretick.kafka" . | quote }}
FORETICK_TOPIC_PREFIX: {{ .Values.kafka.topicPrefix | quote }}
FORETICK_REPLICATION: {{ include "foretick.replication" . | quote }}
FORETICK_MIN_INSYNC_REPLICAS: {{ include "foretick.minInsync" . | quote }}
FORETICK_REGISTRY: {{ include "foretick.registry" . | quote }}
FORETICK_MONGODB_DATABASE: {{ .Values.mongodb.database | quote }}
FORETICK_MLFLOW: {{ include "foretick.mlflow" . | quote }}
FORETICK_SOURCE: {{ .Values.market.source | quote }}
FORETICK_CLOCK_URL: {{ .Values.replay.enabled | ternary (printf "%s/clock" $exchange) "" | quote }}
{{- if .Values.replay.enabled }}
FORETICK_YAHOO_URL: {{ $exchange | quote }}
{{- end }}
{{- /* Kubernetes would tell of a Service `foretick-gateway` by FORETICK_GATEWAY_PORT=tcp://...: this wins. */}}
FORETICK_EXCHANGE_PORT: "8010"
FORETICK_FORECASTING_PORT: "8001"
FORETICK_GATEWAY_PORT: "8000"
FORETICK_OTLP_ENDPOINT: {{ .Values.otlp.endpoint | quote }}
{{- range $name, $value := .Values.settings }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "foretick.replication" -}}
{{- eq .Values.kafka.mode "strimzi" | ternary (min 3 .Values.kafka.strimzi.brokers) .Values.kafka.address.replication }}
{{- end }}

{{- define "foretick.minInsync" -}}
{{- if eq .Values.kafka.mode "strimzi" }}
{{- ge (int .Values.kafka.strimzi.brokers) 3 | ternary 2 1 }}
{{- else }}
{{- .Values.kafka.address.minInsyncReplicas }}
{{- end }}
{{- end }}

{{/* Environment of one part beside that, as a list. */}}
{{- define "foretick.env" -}}
{{- $root := .root }}
{{- $part := .part }}
{{- $v := $root.Values }}
{{- $row := .row }}
{{- if $row.home }}
- {name: FORETICK_HOME, value: {{ $row.home }}}
{{- end }}
{{- if not $row.once }}
- name: FORETICK_HOSTS
  value: {{ include "foretick.hosts" . | squote }}
{{- end }}
{{- if include "foretick.secretSources" . }}
- {name: FORETICK_SECRETS_DIR, value: /run/secrets/foretick}
{{- end }}
{{- if and $row.log (eq $v.kafka.mode "strimzi") }}
- name: FORETICK_KAFKA_OPTIONS
  value: {{ include "foretick.kafkaOptions" . | squote }}
{{- end }}
{{- if has $part (list "producers" "projections" "scoring") }}
- {name: FORETICK_OPS_PORT, value: {{ $row.port | quote }}}
{{- end }}
{{- if eq $part "projections" }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- {name: FORETICK_SNAPSHOTS, value: /var/lib/foretick/snapshots}
{{- end }}
{{- if eq $part "forecasting" }}
- {name: FORETICK_FORECASTING_HOST, value: 0.0.0.0}
{{- end }}
{{- if eq $part "gateway" }}
- name: FORETICK_FORECASTING
  value: {{ include "foretick.url" (dict "root" $root "part" "forecasting" "port" 8001) }}
- name: FORETICK_SERVICES
  {{- $services := dict }}
  {{- range $each, $port := dict "producers" 8011 "projections" 8012 "scoring" 8013 }}
  {{- $_ := include "foretick.url" (dict "root" $root "part" $each "port" $port) | set $services $each }}
  {{- end }}
  value: {{ toJson $services | squote }}
- name: FORETICK_TOKENS_FILE
  value: {{ $row.home | default "/run/secrets/foretick-tokens" }}/tokens
- {name: FORETICK_WEB, value: /srv/web}
{{- with $v.gateway.trustedProxies }}
- name: FORETICK_TRUSTED_PROXIES
  value: {{ toJson . | squote }}
{{- end }}
{{- if $v.gateway.tls.existingSecret }}
- {name: FORETICK_TLS_CERTIFICATE, value: /run/secrets/foretick-tls/tls.crt}
- {name: FORETICK_TLS_KEY, value: /run/secrets/foretick-tls/tls.key}
{{- end }}
{{- end }}
{{- if and (eq $part "producers") (eq $v.market.source "rest") }}
- {name: FORETICK_REST_MAPPING, value: /etc/foretick/rest/{{ $v.market.rest.key }}}
{{- end }}
{{- if eq $part "exchange" }}
{{- with $v.replay.liveFrom }}
- {name: FORETICK_EXCHANGE_LIVE_FROM, value: {{ . | quote }}}
{{- end }}
{{- with $v.replay.secondsPerSession }}
- {name: FORETICK_EXCHANGE_SECONDS_PER_SESSION, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- if eq $part "registry" }}
- {name: APICURIO_STORAGE_KIND, value: sql}
- {name: APICURIO_STORAGE_SQL_KIND, value: h2}
- {name: APICURIO_DATASOURCE_URL, value: "jdbc:h2:file:/var/lib/apicurio/registry"}
- {name: APICURIO_RULES_GLOBAL_COMPATIBILITY, value: BACKWARD}
- {name: QUARKUS_MANAGEMENT_PORT, value: "9000"}
- {name: HOME, value: /tmp}
{{- end }}
{{- if eq $part "mlflow" }}
- {name: MLFLOW_SERVER_ENABLE_JOB_EXECUTION, value: "false"}
- {name: MLFLOW_DISABLE_TELEMETRY, value: "true"}
{{- end }}
{{- with .values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* librdkafka's options where Strimzi makes each part a certificate: names of files, and no secret. */}}
{{- define "foretick.kafkaOptions" -}}
{"security.protocol": "SSL", "ssl.ca.location": "/run/secrets/foretick-kafka/ca.crt",
  "ssl.certificate.location": "/run/secrets/foretick-kafka/user.crt",
  "ssl.key.location": "/run/secrets/foretick-kafka/user.key"}
{{- end }}

{{/*
The secrets that a part reads, and no other's: each a file that is named like its variable (FORETICK_SECRETS_DIR).
Call with root, part and row; empty if there are none.
*/}}
{{- define "foretick.secretSources" -}}
{{- $v := .root.Values }}
{{- $full := include "foretick.fullname" .root }}
{{- $wanted := .row.secrets | default list }}
{{- if .row.log }}
{{- if and (eq $v.kafka.mode "address") $v.kafka.address.existingSecret }}
- secret:
    name: {{ $v.kafka.address.existingSecret }}
    items: [{key: {{ $v.kafka.address.key }}, path: FORETICK_KAFKA_OPTIONS}]
{{- end }}
{{- if and (eq $v.registry.mode "address") $v.registry.address.existingSecret }}
- secret:
    name: {{ $v.registry.address.existingSecret }}
    items: [{key: {{ $v.registry.address.key }}, path: FORETICK_REGISTRY_AUTH}]
{{- end }}
{{- end }}
{{- if has "mongodb" $wanted }}
{{- $user := eq .part "gateway" | ternary "gateway" "projections" }}
{{- if eq $v.mongodb.mode "operator" }}
- secret:
    name: {{ $full }}-mongodb-{{ $user }}-uri
    items: [{key: connectionString.standard, path: FORETICK_MONGODB}]
{{- else }}
- secret:
    name: {{ $v.mongodb.address.existingSecret }}
    items: [{key: {{ get $v.mongodb.address (printf "%sKey" $user) }}, path: FORETICK_MONGODB}]
{{- end }}
{{- end }}
{{- if and (has "vendor" $wanted) (not $v.replay.enabled) $v.market.existingSecret }}
{{- $variable := eq $v.market.source "alphavantage" | ternary "FORETICK_ALPHAVANTAGE_KEY" "FORETICK_REST_KEY" }}
- secret:
    name: {{ $v.market.existingSecret }}
    items: [{key: {{ $v.market.key }}, path: {{ $variable }}}]
{{- end }}
{{- end }}

{{- define "foretick.mlflowCommand" -}}
{{- $hosts := list "localhost:*" "127.0.0.1:*" }}
{{- range include "foretick.hosts" (dict "root" . "part" "mlflow") | fromJsonArray }}
{{- $hosts = append $hosts (printf "%s:*" .) }}
{{- end }}
- mlflow
- server
- --workers=1
- --host=0.0.0.0
- --port=5000
- --allowed-hosts={{ join "," $hosts }}
- --backend-store-uri=sqlite:////var/lib/mlflow/mlflow.db
- --serve-artifacts
- --artifacts-destination=/var/lib/mlflow/artifacts
{{- end }}
