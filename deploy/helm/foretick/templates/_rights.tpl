{{/* The parts that reach Kafka, as JSON. */}}
{{- define "foretick.readers" -}}
{{- $found := list }}
{{- range $part, $row := include "foretick.table" . | fromYaml }}
{{- if and $row.enabled $row.log }}{{ $found = append $found $part }}{{ end }}
{{- end }}
{{- $found | toJson }}
{{- end }}

{{/* The read models, and the topics that each folds: a consumer group each, `foretick.<read model>`. */}}
{{- define "foretick.readModels" -}}
stock_data: [stock-data]
stock_data_revisions: [stock-data]
corporate_actions: [corporate-actions]
forecasts: [stock-forecasts, forecast-scores]
leaderboard: [forecast-scores]
symbols: [stock-data, stock-forecasts]
promotions: [model-promotions]
{{- end }}

{{/*
Who may do what in Kafka: the table of docs/reference/rights.md, as topics, groups and what begins a transactional id.
Who reads a topic reads its dead letters, too.
*/}}
{{- define "foretick.rights" -}}
{{- $prefix := .Values.kafka.topicPrefix }}
{{- $bars := list "stock-data" "corporate-actions" }}
{{- $all := concat $bars (list "stock-forecasts" "forecast-scores" "model-promotions" "drift-alarms") }}
{{- $folded := without $all "drift-alarms" }}
{{- $models := list }}
{{- range $model, $_ := include "foretick.readModels" . | fromYaml }}
{{- $models = append $models (printf "foretick.%s" $model) }}
{{- end }}
{{- $trained := append $bars "model-promotions" }}
{{- $users := dict
  "init" (dict "reads" $all "makes" true)
  "producers" (dict "reads" $bars "writes" $bars)
  "projections" (dict "reads" $folded "buries" true "groups" $models)
  "forecasting" (dict "reads" $folded "writes" (list "stock-forecasts") "groups" (list "foretick.forecasting"))
  "scoring" (dict "reads" $all "writes" (list "forecast-scores" "drift-alarms") "groups" (list "foretick.scoring"))
  "gateway" (dict "reads" $all)
}}
{{- if .Values.firstTraining.enabled }}
{{- $_ := set $users "first-training" (dict "reads" $trained "writes" (list "model-promotions")) }}
{{- end }}
{{- if .Values.airflow.enabled }}
{{- $_ := set $users "airflow" (dict "reads" $all "writes" (append $bars "model-promotions") "buries" true) }}
{{- end }}
{{- if .Values.projections.autoscaling.enabled }}
{{- $_ := set $users "keda" (dict "describes" $folded "groups" $models) }}
{{- end }}
{{- range $user, $may := $users }}
{{ $user }}:
  topics:
    {{- range $topic := concat ($may.reads | default list) ($may.describes | default list) }}
    {{- $operations := ternary (list "Read" "Describe") (list "Describe") (has $topic ($may.reads | default list)) }}
    {{- if has $topic ($may.writes | default list) }}{{ $operations = append $operations "Write" }}{{ end }}
    {{- if $may.makes }}{{ $operations = concat $operations (list "Create" "DescribeConfigs") }}{{ end }}
    {{ $prefix }}{{ $topic }}: {{ $operations | toJson }}
    {{- if not $may.describes }}
    {{- $buried := list "Read" "Describe" }}
    {{- if $may.buries }}{{ $buried = append $buried "Write" }}{{ end }}
    {{- if $may.makes }}{{ $buried = concat $buried (list "Create" "DescribeConfigs") }}{{ end }}
    {{ $prefix }}{{ $topic }}.dlq: {{ $buried | toJson }}
    {{- end }}
    {{- end }}
  groups:
    {{- range $group := $may.groups | default list }}
    {{ $prefix }}{{ $group }}: {{ eq $user "keda" | ternary (list "Describe") (list "Read" "Describe") | toJson }}
    {{- else }} {}
    {{- end }}
  transactions:
    {{- if has "stock-data" ($may.writes | default list) }}
    {{ $prefix }}producers-: {{ list "Write" "Describe" | toJson }}
    {{- else }} {}
    {{- end }}
{{- end }}
{{- end }}
