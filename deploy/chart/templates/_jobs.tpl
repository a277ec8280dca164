{{- /* Metadata of a hook's objects: `root`, the Job's `job`, the `hook`s, `weight`, and the `namespace` where it is another. Not the webhook's own
label: its Service and its PodDisruptionBudget select that. */}}
{{- define "carm-webhook.hookMetadata" -}}
name: {{ include "carm-webhook.fullname" .root }}-{{ .job }}
{{- if not .clusterWide }}
namespace: {{ .namespace | default .root.Release.Namespace | toYaml }}
{{- end }}
labels:
  app.kubernetes.io/name: {{ include "carm-webhook.name" .root }}-{{ .job }}
  {{- include "carm-webhook.commonLabels" .root | nindent 2 }}
annotations:
  helm.sh/hook: {{ .hook }}
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{- define "carm-webhook.hookSubject" -}}
- kind: ServiceAccount
  name: {{ include "carm-webhook.fullname" .root }}-{{ .job }}
  namespace: {{ .root.Release.Namespace | toYaml }}
{{- end }}

{{- /* What a hook's Job runs: `root`, `job`, and the arguments as `args`. */}}
{{- define "carm-webhook.hookPod" -}}
{{- $root := .root }}
metadata:
  labels:
    app.kubernetes.io/name: {{ include "carm-webhook.name" $root }}-{{ .job }}
spec:
  serviceAccountName: {{ include "carm-webhook.fullname" $root }}-{{ .job }}
  automountServiceAccountToken: true
  restartPolicy: Never
  enableServiceLinks: false
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml $root.Values.podSecurityContext | nindent 4 }}
  containers:
    - name: {{ .job }}
      image: {{ include "carm-webhook.image" $root | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args:
        {{- .args | nindent 8 }}
      env:
        # The webhook never manages its own namespace.
        - name: POD_NAMESPACE
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
      resources:
        {{- toYaml $root.Values.resources | nindent 8 }}
      securityContext:
        {{- toYaml $root.Values.securityContext | nindent 8 }}
{{- end }}
