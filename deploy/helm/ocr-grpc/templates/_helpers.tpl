{{- define "ocr.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "ocr.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* (dict "root" $ "role" "serve") */ -}}
{{- define "ocr.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "ocr.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "ocr.secret" -}}
{{- required "existingSecret: name a Secret with DATABASE_URL, REDIS_URL, SECRET_KEY, ENGINE_TOKEN and BOOTSTRAP_PASS; see docs/deployment.md" .Values.existingSecret -}}
{{- end }}

{{- define "ocr.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "ocr.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* Numbers of values files are floats: 1073741824 would be written as 1.073741824e+09, which is no integer. */ -}}
{{- define "ocr.value" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ toString . }}{{ end -}}
{{- end }}

{{- /* Settings as environment variables: those of all roles, those of one, and the secret ones. */ -}}
{{- define "ocr.environment" -}}
{{- $settings := merge (dict) .own .values.extraSettings .root.Values.settings -}}
env:
{{- range $name, $value := $settings }}
{{- if ne (toString $value) "" }}
  - {name: {{ $name }}, value: {{ include "ocr.value" $value | quote }}}
{{- end }}
{{- end }}
envFrom:
  - secretRef: {name: {{ include "ocr.secret" .root }}}
{{- end }}

{{- /* What all pods of the service have in common; (dict "root" "role" "values" "grace"). */ -}}
{{- define "ocr.pod" -}}
serviceAccountName: {{ include "ocr.name" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .grace }}
securityContext: {{- include "ocr.podSecurity" .root | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "ocr.selector" $ | nindent 8 }}
  {{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "ocr.mounts" -}}
volumeMounts:
  - {name: spool, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
  {{- if and .documents .root.Values.documents.existingClaim }}
  - {name: documents, mountPath: /documents}
  {{- end }}
  {{- if and .tls .root.Values.tls.existingSecret }}
  - {name: tls, mountPath: /etc/ocr-grpc/tls, readOnly: true}
  {{- end }}
{{- end }}

{{- define "ocr.volumes" -}}
volumes:
  - name: spool
    emptyDir: {sizeLimit: {{ .values.spoolSize }}}
  - name: tmp
    emptyDir: {sizeLimit: 256Mi}
  {{- with and .documents .root.Values.documents.existingClaim }}
  - name: documents
    persistentVolumeClaim: {claimName: {{ . }}}
  {{- end }}
  {{- with and .tls .root.Values.tls.existingSecret }}
  - name: tls
    secret: {secretName: {{ . }}, defaultMode: 0440}
  {{- end }}
{{- end }}

{{- /* Where documents lie; servers and workers need the same place. */ -}}
{{- define "ocr.blobs" -}}
{{- if and .Values.documents.existingClaim .Values.settings.BLOB_URL }}
{{- fail "documents.existingClaim and settings.BLOB_URL: one of them says where documents lie" }}
{{- else if .Values.documents.existingClaim -}}
file:///documents
{{- else -}}
{{- required "settings.BLOB_URL (s3://bucket/path and the like) or documents.existingClaim: servers and workers share documents" .Values.settings.BLOB_URL -}}
{{- end }}
{{- end }}
