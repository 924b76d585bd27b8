{{- define "tiny-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 44 characters: the longest suffix has 19, and no name may be longer than 63. A cut name ends with a hash, so that two
     long ones stay two. */}}
{{- define "tiny-operator.fullname" -}}
{{- $name := include "tiny-operator.name" . -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- if gt (len $full) 44 -}}
{{- $full = printf "%s-%s" ($full | trunc 35 | trimSuffix "-") ($full | sha256sum | trunc 8) -}}
{{- end -}}
{{- $full -}}
{{- end -}}

{{/* The manager's selector. It can never change. */}}
{{- define "tiny-operator.selector" -}}
app.kubernetes.io/name: {{ include "tiny-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: manager
{{- end -}}

{{/* Labels of an object: a list of the root, the component, and further labels of people, which give way to those of the chart. */}}
{{- define "tiny-operator.labels" -}}
{{- $root := index . 0 -}}
{{- $own := dict
  "app.kubernetes.io/name" (include "tiny-operator.name" $root)
  "app.kubernetes.io/instance" $root.Release.Name
  "app.kubernetes.io/component" (index . 1)
  "app.kubernetes.io/part-of" "tiny"
  "app.kubernetes.io/managed-by" $root.Release.Service
  "app.kubernetes.io/version" (regexReplaceAll "[^-A-Za-z0-9_.]" (include "tiny-operator.version" $root | default $root.Chart.AppVersion) "_" | trunc 63 | trimAll "-_.")
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_")
-}}
{{- $further := dict -}}
{{- if gt (len .) 2 -}}{{- $further = index . 2 -}}{{- end -}}
{{- merge $own $further $root.Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "tiny-operator.image" -}}
{{- $image := .Values.controllerManager.manager.image -}}
{{- $repository := required "controllerManager.manager.image.repository is required: the image of the module, without tag" $image.repository -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository ($image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Empty where only the image knows. */}}
{{- define "tiny-operator.version" -}}
{{- $image := .Values.controllerManager.manager.image -}}
{{- if .Values.module.version -}}
{{- .Values.module.version | trimPrefix "v" -}}
{{- else if $image.tag -}}
{{- $image.tag | trimPrefix "v" -}}
{{- else if not $image.digest -}}
{{- .Chart.AppVersion | trimPrefix "v" -}}
{{- end -}}
{{- end -}}

{{- define "tiny-operator.account" -}}
{{- $account := .Values.controllerManager.serviceAccount -}}
{{- if $account.create -}}
{{- $account.name | default (printf "%s-controller-manager" (include "tiny-operator.fullname" .)) -}}
{{- else -}}
{{- $account.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* Two servers cannot listen on one port. */}}
{{- define "tiny-operator.ports" -}}
{{- $taken := dict "8081" "the probes" (toString (int .Values.managerService.metrics.port)) "managerService.metrics.port" -}}
{{- if eq (int .Values.managerService.metrics.port) 8081 -}}
{{- fail "managerService.metrics.port: 8081 is taken by the probes" -}}
{{- end -}}
{{- range $at, $port := .Values.managerService.ports -}}
{{- $number := toString (int ($port.targetPort | default $port.port)) -}}
{{- with get $taken $number -}}
{{- fail (printf "managerService.ports[%d].targetPort: %s is taken by %s" $at $number .) -}}
{{- end -}}
{{- $_ := set $taken $number (printf "managerService.ports[%d]" $at) -}}
{{- end -}}
{{- end -}}

{{/* The port that other modules send to. */}}
{{- define "tiny-operator.grpc" -}}
{{- $first := first .Values.managerService.ports -}}
{{- $first.targetPort | default $first.port -}}
{{- end -}}

{{/* What the account of the module may do, as `rbac` of its binary prints it. The pairs of rules with names are those of this module alone, once its name is known. */}}
{{- define "tiny-operator.rules" -}}
{{- $name := .Values.module.name -}}
- apiGroups: [operator.tinysystems.io]
  resources: [tinynodes, tinymodules, tinyflows, tinyprojects, tinysignals, tinytrackers, tinywidgetpages]
  verbs: [get, list, watch]
- apiGroups: [operator.tinysystems.io]
  resources: [tinynodes/status, tinysignals/status]
  verbs: [patch]
# Finalizers.
- apiGroups: [operator.tinysystems.io]
  resources: [tinynodes]
  verbs: [patch]
# What does not exist yet cannot be allowed by its name.
- apiGroups: [operator.tinysystems.io]
  resources: [tinymodules]
  verbs: [create]
- apiGroups: [operator.tinysystems.io]
  resources: [tinymodules/status]
  {{- with $name }}
  resourceNames: [{{ . | quote }}]
  {{- end }}
  verbs: [patch]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  {{- with $name }}
  resourceNames: [{{ printf "%s-lock" . | quote }}]
  {{- end }}
  verbs: [get, update]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- with .Values.rbac.extraRules }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The restricted profile, for all pods of the chart. */}}
{{- define "tiny-operator.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Where pods may run, for hooks as for the manager. */}}
{{- define "tiny-operator.place" -}}
{{- $manager := .Values.controllerManager -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $manager.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $manager.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $manager.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $manager.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* A name may be in the list of a container once. What people write wins: `extraEnv` over `env` over ours. */}}
{{- define "tiny-operator.env" -}}
{{- $full := include "tiny-operator.fullname" . -}}
{{- $manager := .Values.controllerManager.manager -}}
{{- $otlp := .Values.otlp -}}
{{- $own := list
  (dict "name" "KUBERNETES_CLUSTER_DOMAIN" "value" .Values.kubernetesClusterDomain)
  (dict "name" "SELF_SERVICE_HOST" "value" (printf "%s-manager-service:%d" $full (int (first .Values.managerService.ports).port)))
  (dict "name" "POD_IP" "valueFrom" (dict "fieldRef" (dict "fieldPath" "status.podIP")))
  (dict "name" "POD_NAME" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.name")))
  (dict "name" "TINY_IMAGE" "value" (include "tiny-operator.image" .))
-}}
{{- with $otlp.endpoint -}}
{{- $own = append $own (dict "name" "OTEL_EXPORTER_OTLP_ENDPOINT" "value" .) -}}
{{- end -}}
{{- with $otlp.dsn -}}
{{- $own = append $own (dict "name" "OTLP_DSN" "value" .) -}}
{{- end -}}
{{- with $otlp.headersSecret -}}
{{- if .name -}}
{{- $own = append $own (dict "name" "OTEL_EXPORTER_OTLP_HEADERS" "valueFrom" (dict "secretKeyRef" (dict "name" .name "key" .key))) -}}
{{- end -}}
{{- end -}}
{{- with $otlp.sampler -}}
{{- $own = append $own (dict "name" "OTEL_TRACES_SAMPLER" "value" .) -}}
{{- end -}}
{{- with $otlp.samplerArg -}}
{{- $own = append $own (dict "name" "OTEL_TRACES_SAMPLER_ARG" "value" (toString .)) -}}
{{- end -}}
{{- if or $otlp.endpoint $otlp.dsn $otlp.resourceAttributes -}}
{{- $about := dict
  "k8s.namespace.name" .Release.Namespace
  "k8s.deployment.name" (printf "%s-controller-manager" $full)
  "k8s.pod.name" "$(POD_NAME)"
-}}
{{- $pairs := list -}}
{{- range $key, $value := merge dict $otlp.resourceAttributes $about -}}
{{- $pairs = append $pairs (printf "%s=%s" $key (toString $value)) -}}
{{- end -}}
{{- $own = append $own (dict "name" "OTEL_RESOURCE_ATTRIBUTES" "value" (join "," $pairs)) -}}
{{- end -}}
{{- $extra := dict -}}
{{- range $manager.extraEnv -}}
{{- $_ := set $extra .name true -}}
{{- end -}}
{{- $all := list -}}
{{- range $own -}}
{{- if not (or (hasKey $manager.env .name) (hasKey $extra .name)) -}}
{{- $all = append $all . -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := $manager.env -}}
{{- if not (hasKey $extra $name) -}}
{{- $all = append $all (dict "name" $name "value" (toString $value)) -}}
{{- end -}}
{{- end -}}
{{- concat $all $manager.extraEnv | toYaml -}}
{{- end -}}
