{{/*
What values.schema.json cannot say, because it is about values together. FORETICK_PRIVATE_NETWORK, which parts of one
cluster need, ends the services' own look at addresses elsewhere: so the chart looks at them.
*/}}
{{- define "foretick.validate" -}}
{{- $v := .Values }}
{{- $faults := list }}
{{- if and $v.replay.enabled (ne $v.market.source "yahoo") }}
{{- $faults = append $faults "market.source: the replay exchange speaks as yahoo; set replay.enabled=false" }}
{{- end }}
{{- if and (eq $v.market.source "alphavantage") (not $v.market.existingSecret) }}
{{- $faults = append $faults "market.existingSecret: alphavantage wants a key" }}
{{- end }}
{{- if and (eq $v.market.source "rest") (not $v.market.rest.configMap) }}
{{- $faults = append $faults "market.rest.configMap: name the ConfigMap with the mapping of the API" }}
{{- end }}
{{- if eq $v.kafka.mode "address" }}
{{- if not $v.kafka.address.bootstrap }}
{{- $faults = append $faults "kafka.address.bootstrap: name the brokers, or set kafka.mode=strimzi" }}
{{- end }}
{{- if not (or $v.kafka.address.existingSecret $v.allowClearText) }}
{{- $faults = append $faults "kafka.address.existingSecret: Kafka is spoken to in the clear; see allowClearText" }}
{{- end }}
{{- end }}
{{- range $name := list "registry" "mlflow" }}
{{- $server := get $v $name }}
{{- if eq $server.mode "address" }}
{{- if not $server.address.url }}
{{- $faults = append $faults (printf "%s.address.url: name it, or set %s.mode=chart" $name $name) }}
{{- else if not (or (hasPrefix "https://" $server.address.url) $v.allowClearText) }}
{{- $faults = append $faults (printf "%s.address.url: use https://; see allowClearText" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (eq $v.mongodb.mode "address") (not $v.mongodb.address.existingSecret) }}
{{- $faults = append $faults "mongodb.address.existingSecret: name the Secret with MongoDB's addresses" }}
{{- end }}
{{- if eq $v.mongodb.mode "operator" }}
{{- range $user := list "projections" "gateway" }}
{{- if not (get (get $v.mongodb.operator.users $user) "existingSecret") }}
{{- $value := printf "mongodb.operator.users.%s.existingSecret" $user }}
{{- $faults = append $faults (printf "%s: name the Secret with its password" $value) }}
{{- end }}
{{- end }}
{{- if and $v.mongodb.operator.tls.certificateSecret (not $v.mongodb.operator.tls.caConfigMap) }}
{{- $faults = append $faults "mongodb.operator.tls.caConfigMap: name the ConfigMap with ca.crt" }}
{{- end }}
{{- end }}
{{- if $v.ingress.enabled }}
{{- range $name := list "host" "tlsSecret" }}
{{- if not (get $v.ingress $name) }}
{{- $faults = append $faults (printf "ingress.%s: an ingress needs one; tokens do not come in the clear" $name) }}
{{- end }}
{{- end }}
{{- if not $v.gateway.trustedProxies }}
{{- $faults = append $faults "gateway.trustedProxies: name the ingress's network, or all callers share its budget" }}
{{- end }}
{{- end }}
{{- with $v.projections }}
{{- if and .autoscaling.enabled (gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas)) }}
{{- $faults = append $faults "projections.autoscaling.minReplicas is more than maxReplicas" }}
{{- end }}
{{- end }}
{{- if $faults }}
{{- printf "values that do not go together:\n  - %s" (join "\n  - " $faults) | fail }}
{{- end }}
{{- end }}
