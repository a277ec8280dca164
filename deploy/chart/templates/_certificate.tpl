{{- /* What the API server trusts, in base64; empty where something else fills it in. */}}
{{- define "carm-webhook.caBundle" -}}
{{- $certificates := .Values.certificates }}
{{- if eq $certificates.provider "helm" }}
{{- get (include "carm-webhook.helmCertificate" . | fromJson) "ca.crt" }}
{{- else if eq $certificates.provider "existing" }}
{{- if $certificates.existing.caBundle }}
{{- $certificates.existing.caBundle | b64enc }}
{{- else if not (regexMatch "cert-manager[.]io/inject-" (toJson .Values.webhook.annotations)) }}
{{- if or .Release.IsInstall .Release.IsUpgrade }}
{{- fail "certificates.existing.caBundle is not set: it is the CA (PEM) of the certificate in certificates.existing.secretName" }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The data of the Secret, made once for a rendering: several templates need the same. What an earlier release made is kept. */}}
{{- define "carm-webhook.helmCertificate" -}}
{{- if not (hasKey .Values.certificates.helm "made") }}
{{- $name := include "carm-webhook.tlsSecretName" . }}
{{- $data := dict }}
{{- with lookup "v1" "Secret" .Release.Namespace $name }}
{{- $data = .data | default dict }}
{{- end }}
{{- if not (and (get $data "ca.crt") (get $data "tls.crt") (get $data "tls.key")) }}
{{- $days := int .Values.certificates.helm.validityDays }}
{{- $host := printf "%s.%s.svc" (include "carm-webhook.fullname" .) .Release.Namespace }}
{{- $ca := genCA (printf "%s-ca" (include "carm-webhook.fullname" .)) $days }}
{{- $made := genSignedCert $host nil (list $host (printf "%s.cluster.local" $host)) $days $ca }}
{{- $data = dict "ca.crt" ($ca.Cert | b64enc) "tls.crt" ($made.Cert | b64enc) "tls.key" ($made.Key | b64enc) }}
{{- end }}
{{- $_ := set .Values.certificates.helm "made" (pick $data "ca.crt" "tls.crt" "tls.key") }}
{{- end }}
{{- toJson .Values.certificates.helm.made }}
{{- end }}
