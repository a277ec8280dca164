{{- /* The namespaces that are never managed, as a JSON list: those that the cluster needs to start, and the webhook's own. */}}
{{- define "carm-webhook.excludedNamespaces" -}}
{{- list .Release.Namespace "kube-system" "kube-public" "kube-node-lease" | uniq | toJson }}
{{- end }}

{{- /* Names as YAML has them: one may look like a number. */}}
{{- define "carm-webhook.flowList" -}}
{{- $items := list }}
{{- range . }}{{ $items = append $items (toYaml .) }}{{ end -}}
[{{ join ", " $items }}]
{{- end }}

{{- define "carm-webhook.celList" -}}
['{{ join "', '" . }}']
{{- end }}

{{- define "carm-webhook.excludedNamespacesCel" -}}
{{- include "carm-webhook.celList" (include "carm-webhook.excludedNamespaces" . | fromJsonArray) }}
{{- end }}

{{- define "carm-webhook.configurationMetadata" -}}
# Configurations are called in the order of their names: after pod-identity-webhook, whose variables are respected.
name: zz-carm-webhook
labels:
  {{- include "carm-webhook.labels" . | nindent 2 }}
{{- $annotations := .Values.webhook.annotations }}
{{- if eq .Values.certificates.provider "cert-manager" }}
{{- /* https://cert-manager.io/docs/concepts/ca-injector/ */}}
{{- $injected := dict "cert-manager.io/inject-ca-from" (printf "%s/%s-tls" .Release.Namespace (include "carm-webhook.fullname" .)) }}
{{- $annotations = merge $injected $annotations }}
{{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "carm-webhook.clientConfig" -}}
{{- $root := .root }}
service:
  namespace: {{ $root.Release.Namespace | toYaml }}
  name: {{ include "carm-webhook.fullname" $root }}
  path: {{ .path }}
  port: {{ $root.Values.service.port }}
{{- with include "carm-webhook.caBundle" $root }}
caBundle: {{ . }}
{{- end }}
{{- end }}

{{- /* Opt-in: an outage of the webhook concerns these namespaces and no other. Never the namespaces that the cluster itself needs to start, nor
the webhook's own, whatever the label says.
https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/#webhook-limit-scope */}}
{{- define "carm-webhook.namespaceSelector" -}}
matchLabels:
  carm-webhook.dev/inject: enabled
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{ include "carm-webhook.flowList" (include "carm-webhook.excludedNamespaces" . | fromJsonArray) }}
  {{- with .Values.webhook.namespaceSelector.matchExpressions }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* The first conditions of every entry. */}}
{{- define "carm-webhook.commonConditions" -}}
# The way out when the webhook is down: docs/break-glass.md.
- name: not-break-glass
  expression: >-
    !has(request.userInfo.groups) || !('carm-webhook:break-glass' in request.userInfo.groups)
{{- with .Values.webhook.matchConditions }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* The first conditions of the entries for ACK resources: the group, where rules have every group, and who ACK is. */}}
{{- define "carm-webhook.ackConditions" -}}
{{- if .Values.ack.everyGroup }}
- name: ack-group
  expression: >-
    request.resource.group == 'services.k8s.aws' || request.resource.group.endsWith('.services.k8s.aws')
{{- end }}
{{ include "carm-webhook.commonConditions" . }}
# ACK's controllers, by namespace and name: anyone may give a ServiceAccount of their own the same name.
- name: not-ack
  expression: >-
    {{- include "carm-webhook.notAck" . | nindent 4 }}
{{- with .Values.ack.identities }}
- name: not-ack-identities
  expression: >-
    {{- include "carm-webhook.notIdentities" . | nindent 4 }}
{{- end }}
# They only remove finalizers and owners.
- name: not-a-deleting-controller
  expression: >-
    !has(request.userInfo.username) || !(request.userInfo.username in [
      'system:serviceaccount:kube-system:generic-garbage-collector',
      'system:serviceaccount:kube-system:namespace-controller'])
# ACK ignores bindings in kube-public and kube-node-lease too, but with the gate IAMRoleSelector it does not: the webhook knows.
- name: not-kube-system
  expression: >-
    !has(request.namespace) || request.namespace != 'kube-system'
{{- end }}

{{- /* As src/admission/controllers.ts: a service that some system namespaces name is served by these, any other by those that name none, else
by the first. */}}
{{- define "carm-webhook.notAck" -}}
{{- $all := list }}
{{- $named := list }}
{{- $some := list }}
{{- range .Values.ack.systemNamespaces }}
{{- $parts := splitList "=" . }}
{{- if eq (len $parts) 1 }}
{{- $all = append $all (first $parts) }}
{{- else }}
{{- $services := splitList "+" (last $parts) }}
{{- $named = concat $named $services }}
{{- $some = append $some (printf "%s:ack-(%s)" (first $parts) (join "|" $services)) }}
{{- end }}
{{- end }}
{{- if not $all }}
{{- $all = list (splitList "=" (first .Values.ack.systemNamespaces) | first) }}
{{- end }}
{{- $namespaces := join "|" $all }}
{{- if gt (len $all) 1 }}
{{- $namespaces = printf "(%s)" $namespaces }}
{{- end -}}
{{- if $some -}}
!has(request.userInfo.username) || !(
(request.userInfo.username.matches('^system:serviceaccount:{{ $namespaces }}:ack-[a-z0-9]+-controller$')
  && !request.userInfo.username.matches(':ack-({{ join "|" (uniq $named) }})-controller$'))
|| request.userInfo.username.matches('^system:serviceaccount:({{ join "|" $some }})-controller$'))
{{- else -}}
!has(request.userInfo.username)
|| !request.userInfo.username.matches('^system:serviceaccount:{{ $namespaces }}:ack-[a-z0-9]+-controller$')
{{- end }}
{{- end }}

{{- /* As src/admission/identity.ts. */}}
{{- define "carm-webhook.notIdentities" -}}
{{- $names := list }}
{{- $sessions := list }}
{{- range . }}
{{- if hasPrefix "arn:" . }}
{{- $sessions = append $sessions . }}
{{- else if hasPrefix "system:serviceaccount:" . }}
{{- $names = append $names . }}
{{- else }}
{{- $names = append $names (printf "system:serviceaccount:%s" (replace "/" ":" .)) }}
{{- end }}
{{- end -}}
!has(request.userInfo.username) || !(
{{- if $names }}request.userInfo.username in {{ include "carm-webhook.celList" $names }}{{ end }}
{{- if and $names $sessions }} || {{ end }}
{{- if $sessions }}{{ include "carm-webhook.celList" $sessions }}.exists(role, request.userInfo.username.startsWith(role)){{ end }})
{{- end }}

{{- define "carm-webhook.mapNamespaces" -}}
{{- $names := include "carm-webhook.ackNamespaces" . | fromJsonArray }}
{{- if eq (len $names) 1 }}
matchLabels:
  kubernetes.io/metadata.name: {{ first $names | toYaml }}
{{- else }}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: In
    values: {{ include "carm-webhook.flowList" $names }}
{{- end }}
{{- end }}

{{- /* The groups of ACK's services, without the common one: src/accounts/ack-services.ts. */}}
{{- define "carm-webhook.ackServiceGroups" -}}
{{- range splitList "\n" (.Files.Get "files/ack-services.txt" | trim) }}
- {{ . }}.services.k8s.aws
{{- end }}
{{- end }}

{{- /* What the rules of the entries for ACK resources match. */}}
{{- define "carm-webhook.ackGroups" -}}
{{- if .Values.ack.everyGroup }}
- "*"
{{- else }}
- services.k8s.aws
{{- include "carm-webhook.ackServiceGroups" . }}
{{- end }}
{{- end }}
