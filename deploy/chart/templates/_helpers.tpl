{{- define "carm-webhook.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* At most 40 characters: names of objects are made from it. */}}
{{- define "carm-webhook.fullname" -}}
{{- $name := include "carm-webhook.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- /* Not the release: a Deployment's selector can never change, and that of the manifests of earlier days has the name alone. */}}
{{- define "carm-webhook.selectorLabels" -}}
app.kubernetes.io/name: {{ include "carm-webhook.name" . }}
{{- end }}

{{- define "carm-webhook.commonLabels" -}}
{{- $ours := dict
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") }}
{{- toYaml (merge (dict) .Values.commonLabels $ours) }}
{{- end }}

{{- /* Of namespaces: an upgrade changes none of them, so that the webhook is not asked about it. */}}
{{- define "carm-webhook.stableLabels" -}}
{{ include "carm-webhook.selectorLabels" . }}
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
{{- end }}

{{- define "carm-webhook.labels" -}}
{{ include "carm-webhook.selectorLabels" . }}
{{ include "carm-webhook.commonLabels" . }}
{{- end }}

{{- /* With labels of one object more, as a list of the root and these: they win, and no key stands twice. */}}
{{- define "carm-webhook.labelsWith" -}}
{{- toYaml (merge (dict) (last .) (include "carm-webhook.labels" (first .) | fromYaml)) }}
{{- end }}

{{- define "carm-webhook.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "carm-webhook.fullname" .) }}
{{- else }}
{{- required "serviceAccount.name is not set: without serviceAccount.create it names the ServiceAccount to use" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "carm-webhook.subject" -}}
- kind: ServiceAccount
  name: {{ include "carm-webhook.serviceAccountName" . | toYaml }}
  namespace: {{ .Release.Namespace | toYaml }}
{{- end }}

{{- /* helm lint renders as neither an installation nor an upgrade. */}}
{{- define "carm-webhook.image" -}}
{{- $image := .Values.image }}
{{- if and (not $image.repository) (or .Release.IsInstall .Release.IsUpgrade) }}
{{- fail "image.repository is not set: no image is published, so build one with `make image`, push it, and set image.registry, image.repository and image.tag to it" }}
{{- end }}
{{- with $image.registry }}{{ . }}/{{ end }}
{{- $image.repository | default "carm-webhook" }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "carm-webhook.tlsSecretName" -}}
{{- if eq .Values.certificates.provider "existing" }}
{{- required "certificates.existing.secretName is not set: it names the Secret with the certificate" .Values.certificates.existing.secretName }}
{{- else }}
{{- include "carm-webhook.fullname" . }}-tls
{{- end }}
{{- end }}

{{- /* A duration as flags take it, in seconds: without a unit it is in seconds. */}}
{{- define "carm-webhook.seconds" -}}
{{- $units := dict "h" 3600.0 "m" 60.0 "s" 1.0 "ms" 0.001 }}
{{- $seconds := 0.0 }}
{{- range regexFindAll "[0-9.]+(ms|h|m|s)?" . -1 }}
{{- $unit := regexFind "[a-z]+$" . | default "s" }}
{{- $seconds = addf $seconds (mulf (trimSuffix $unit . | float64) (get $units $unit)) }}
{{- end }}
{{- $seconds }}
{{- end }}

{{- /* What the schema cannot say of two values. */}}
{{- define "carm-webhook.checkValues" -}}
{{- $grace := int .Values.terminationGracePeriodSeconds }}
{{- $needed := include "carm-webhook.seconds" (.Values.config.shutdownDelay | default "10s") | float64 | ceil | int | add 25 }}
{{- if lt $grace (int $needed) }}
{{- fail (printf "terminationGracePeriodSeconds is %d: kubelet would kill the webhook before it has answered what is in flight, so with this config.shutdownDelay it must be %d at least" $grace $needed) }}
{{- end }}
{{- if eq (int .Values.webhook.port) (int .Values.metrics.port) }}
{{- fail (printf "webhook.port and metrics.port are both %d: the webhook could not start" (int .Values.webhook.port)) }}
{{- end }}
{{- end }}

{{- /* Arguments. kubelet replaces $(NAME), and $$ stands for $. */}}
{{- define "carm-webhook.argument" -}}
{{ . | replace "$(" "$$(" | quote }}
{{- end }}

{{- /* A flag for each key of `config`, or of a part of it, that is set, by its kind. */}}
{{- define "carm-webhook.configArgs" -}}
{{- range $key, $value := . }}
{{- $flag := kebabcase $key }}
{{- if kindIs "bool" $value }}
{{- if $value }}
- --{{ $flag }}
{{- end }}
{{- else if $value }}
{{- $text := $value }}
{{- if kindIs "slice" $value }}
{{- $text = join "," $value }}
{{- else if kindIs "map" $value }}
{{- $pairs := list }}
{{- range $name, $on := $value }}
{{- $pairs = append $pairs (printf "%s=%t" $name $on) }}
{{- end }}
{{- $text = join "," $pairs }}
{{- end }}
- {{ include "carm-webhook.argument" (printf "--%s=%s" $flag $text) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The flags that change a decision, for `serve` and for what predicts it. */}}
{{- define "carm-webhook.ackArgs" -}}
- --ack-system-namespace={{ join "," .Values.ack.systemNamespaces }}
{{- with .Values.ack.identities }}
- {{ include "carm-webhook.argument" (printf "--ack-identities=%s" (join "," .)) }}
{{- end }}
{{- end }}

{{- define "carm-webhook.decisionArgs" -}}
{{- include "carm-webhook.ackArgs" . }}
{{- with include "carm-webhook.configArgs" (omit .Values.config "bindAddress" "clientCaFile" "logLevel" "shutdownDelay" "tlsMinVersion") | trim }}
{{ . }}
{{- end }}
{{- end }}

{{- /* The namespaces of ACK's controllers, as a JSON list. */}}
{{- define "carm-webhook.ackNamespaces" -}}
{{- $names := list }}
{{- range .Values.ack.systemNamespaces }}
{{- $names = append $names (splitList "=" . | first) }}
{{- end }}
{{- $names | uniq | toJson }}
{{- end }}
