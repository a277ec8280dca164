#!/bin/sh
# The drill for docs/break-glass.md, on a test cluster. Plain sh, with kubectl and nothing else.
#
# What must be put back is written to the ConfigMap break-glass-drill before anything is stopped, so a drill that was killed can be ended
# from anywhere (--restore). It ends in one of two states: as before, or, if the webhook does not come back, with the cluster freed.
set -eu

account='' context='' IMAGE=busybox limit=120 sure='' restore_only=''
# Unique, so that a drill is told from any other.
NAMESPACE="break-glass-drill-$(date +%s)-$$"

usage() {
  cat <<'USAGE'
Usage: sh break-glass-drill.sh --account=ID [options]
       sh break-glass-drill.sh --restore [options]

Stops carm-webhook, frees the cluster by each way of docs/break-glass.md, and turns everything on again. Meanwhile new pods fail, or
start without a role, in ALL managed namespaces: run it on a test cluster only. If a GitOps tool applies the webhook, pause it first.

  --account=ID       an AWS account that has a role for pods in the account map
  --restore          put back what a drill that was killed has left behind
  --context=NAME     the context of kubectl (default: the current one)
  --image=IMAGE      an image for the pods of the drill (default: busybox)
  --limit=SECONDS    the longest wait of each step (default: 120)
  --yes-this-is-a-test-cluster
                     do not ask

Ends with 0: all was shown. 1: a step failed. 2: wrong usage. 3: not started. Then all is as before. 4: not all could be put back; the
last lines say what to do. 129, 130, 141, 143: interrupted; all is as before.
USAGE
}

usage_error() {
  echo "$1. See --help." >&2
  exit 2
}

for argument in "$@"; do
  case $argument in
    --account=*) account=${argument#*=} ;;
    --context=*) context=${argument#*=} ;;
    --image=*) IMAGE=${argument#*=} ;;
    --limit=*) limit=${argument#*=} ;;
    --restore) restore_only=yes ;;
    --yes-this-is-a-test-cluster) sure=yes ;;
    --help) usage && exit 0 ;;
    *) usage_error "Unknown argument $argument" ;;
  esac
done
case $limit in '' | *[!0-9]* | ?????*) usage_error '--limit must be a number of seconds, at most 9999' ;; esac
if [ -z "$restore_only" ]; then
  case $account in *[!0-9]*) usage_error '--account must be 12 digits' ;; esac
  [ ${#account} -eq 12 ] || usage_error '--account must be 12 digits'
fi
# From here on the context is named in every call: switching it elsewhere does not lead the drill to another cluster.
[ -n "$context" ] || context=$(command kubectl config current-context) || usage_error '--context is missing'

if [ -z "$sure" ]; then
  [ -t 0 ] || usage_error 'Nobody can be asked here: add --yes-this-is-a-test-cluster if it is one'
  printf 'New pods will fail, or start without a role, in ALL managed namespaces of %s.\nType its name if it is a test cluster: ' "$context"
  read -r answer || answer=''
  [ "$answer" = "$context" ] || usage_error 'That is not its name; nothing was done'
fi

kubectl() {
  case $1 in
    # These watch, for as long as --timeout says.
    rollout) command kubectl --context="$context" "$@" ;;
    *) command kubectl --context="$context" --request-timeout=20s "$@" ;;
  esac
}

now() { date +%s; }
say() { printf '%s\n' "$*"; }

started_at=$(now)
step_at=$started_at
step() {
  step_at=$(now)
  say "== $*"
}
shown() { say "   $* ($(($(now) - step_at)) s)"; }
failed() {
  say "   FAILED: $*" >&2
  exit 1
}
not_started() {
  say "   NOT STARTED: $*" >&2
  exit 3
}

# --- What is proved, by pods in the drill's own namespace. What the last attempt said is in $said.

said=''
try_pod() {
  name=$1
  shift
  said=$(kubectl run "$name" --image="$IMAGE" --restart=Never -n "$NAMESPACE" "$@" -- sleep 3600 2>&1)
}

webhook_is_down() {
  case $said in *'failed calling webhook'*) return 0 ;; *) return 1 ;; esac
}

role_of() {
  kubectl get pod "$1" -n "$NAMESPACE" -o 'jsonpath={.metadata.annotations.carm-webhook\.dev/role-arn}'
}

# A call for which the API server does not know yet what has just changed is made again.
until_pod_fails() {
  until_at=$(($(now) + limit))
  while :; do
    if try_pod "$1" --dry-run=server; then
      :
    elif webhook_is_down; then
      if try_pod "$1"; then
        kubectl delete pod "$1" -n "$NAMESPACE" --wait=false
      elif webhook_is_down; then
        return 0
      fi
    fi
    [ "$(now)" -lt "$until_at" ] || return 1
    sleep 1
  done
}

until_pod_is_created() {
  until_at=$(($(now) + limit))
  until try_pod "$1"; do
    # Stored, by a call whose answer was lost.
    case $said in *'already exists'*) return 0 ;; esac
    [ "$(now)" -lt "$until_at" ] || return 1
    sleep 1
  done
}

until_pod_has_role() {
  until_at=$(($(now) + limit))
  attempt=1
  while :; do
    if try_pod "$1-$attempt"; then
      role=$(role_of "$1-$attempt") || role=''
      [ -z "$role" ] || return 0
      said="pod $1-$attempt was created without a role"
    else
      case $said in *'denied the request'*) return 1 ;; esac
    fi
    [ "$(now)" -lt "$until_at" ] || return 1
    attempt=$((attempt + 1))
    sleep 1
  done
}

# --- The commands of docs/break-glass.md, word for word; test/docs/break-glass-drill.test.ts compares them.

bypass_the_webhook_once() {
  kubectl run break-glass --image="$IMAGE" --restart=Never -n "$NAMESPACE" \
    --as=break-glass --as-group=system:masters --as-group=carm-webhook:break-glass -- sleep 3600
}

let_one_namespace_through() {
  kubectl label namespace "$NAMESPACE" carm-webhook.dev/inject=disabled --overwrite \
    --as=break-glass --as-group=system:masters --as-group=carm-webhook:break-glass
}

free_the_whole_cluster() {
  kubectl delete mutatingwebhookconfiguration,validatingwebhookconfiguration zz-carm-webhook
}

# --- What must be put back, and how.

manage_namespace_again() {
  kubectl label namespace "$NAMESPACE" carm-webhook.dev/inject=enabled --overwrite \
    --as=break-glass --as-group=system:masters --as-group=carm-webhook:break-glass
}

# As an object that can be created: no version, no uid. https://kubernetes.io/docs/reference/using-api/api-concepts/
without_identity() {
  sed -e 's/^        "resourceVersion": ".*"/        "resourceVersion": ""/' -e 's/^        "uid": ".*"/        "uid": ""/'
}

replicas_now() {
  kubectl get deployment/carm-webhook -n carm-webhook -o 'jsonpath={.spec.replicas}'
}

save() {
  replicas=$(replicas_now)
  mutating=$(kubectl get mutatingwebhookconfiguration zz-carm-webhook -o json)
  validating=$(kubectl get validatingwebhookconfiguration zz-carm-webhook -o json)
  {
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: break-glass-drill\n  namespace: carm-webhook\ndata:\n'
    printf '  namespace: %s\n  replicas: "%s"\n' "$NAMESPACE" "$replicas"
    printf '  mutating: |\n' && printf '%s\n' "$mutating" | without_identity | sed 's/^/    /'
    printf '  validating: |\n' && printf '%s\n' "$validating" | without_identity | sed 's/^/    /'
  } | kubectl create -f -
}

saved() {
  kubectl get configmap break-glass-drill -n carm-webhook --ignore-not-found -o "jsonpath={.data.$1}"
}

put_back_configurations() {
  present=$(kubectl get mutatingwebhookconfiguration,validatingwebhookconfiguration zz-carm-webhook --ignore-not-found -o name) || return 1
  for kind in mutating validating; do
    case $present in
      *"$kind"*) ;;
      # Raw: otherwise kubectl rewrites what it notes of the last apply, and the next apply would remove the CA.
      *)
        saved "$kind" | kubectl create --raw "/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations" -f - >/dev/null || return 1
        say "zz-carm-webhook ($kind) created"
        ;;
    esac
  done
}

# First the server, then what calls it, as the page says.
turn_on() {
  replicas=$(saved replicas) || return 1
  { [ "$(replicas_now)" = "$replicas" ] || kubectl scale deployment/carm-webhook -n carm-webhook --replicas="$replicas"; } \
    && kubectl rollout status deployment/carm-webhook -n carm-webhook --timeout="${limit}s" \
    && put_back_configurations
}

webhook_answers() {
  present=$(kubectl get namespace "$NAMESPACE" --ignore-not-found -o name) || return 1
  # Then there is nothing left to try it with.
  [ -n "$present" ] || return 0
  manage_namespace_again || return 1
  until_at=$(($(now) + limit))
  until try_pod probe --dry-run=server || ! webhook_is_down; do
    [ "$(now)" -lt "$until_at" ] || return 1
    sleep 1
  done
}

# Does nothing if all is as before.
restore() {
  found=$(saved namespace) || {
    say 'The API server does not answer. When it does, run this script again with --restore.' >&2
    return 1
  }
  # Nothing was stopped, or by another drill.
  [ "$found" = "$NAMESPACE" ] || return 0
  if [ -n "$is_on" ] || { turn_on && webhook_answers; }; then
    kubectl delete configmap break-glass-drill -n carm-webhook || return 1
    say 'Everything is on again, as it was before the drill.'
    return 0
  fi
  # A drill must not leave pods failing.
  free_the_whole_cluster
  present=$(kubectl get mutatingwebhookconfiguration,validatingwebhookconfiguration zz-carm-webhook --ignore-not-found -o name) || present=unknown
  if [ -z "$present" ]; then
    say 'The webhook does not come back, so the cluster is FREE: pods start without roles.' >&2
  else
    say 'The webhook does not come back, and its configurations could not be deleted: new pods FAIL in managed namespaces.' >&2
  fi
  say 'See "Find the cause" in docs/break-glass.md, then run this script again with --restore.' >&2
  return 1
}

begun='' is_on='' namespace_made=''
finish() {
  code=$?
  # Once it has begun, putting things back is not interrupted; each wait in it has its limit.
  trap '' HUP INT PIPE TERM
  trap - EXIT
  set +e
  if [ -n "$begun" ]; then
    step 'Restore'
    restore || code=4
  fi
  # --restore tries the webhook there. Deleting it works while the webhook is down.
  [ "$code" = 4 ] || [ -z "$namespace_made" ] || kubectl delete namespace "$NAMESPACE" --ignore-not-found --wait=false
  say "== The drill ended with $code after $(($(now) - started_at)) s"
  exit "$code"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

if [ -n "$restore_only" ]; then
  left=$(saved namespace) || not_started 'the API server does not answer'
  [ -n "$left" ] || { say 'Nothing is left of any drill.' && exit 0; }
  NAMESPACE=$left begun=yes namespace_made=yes
  exit 0
fi

step "Before the drill, in context $context"
left=$(saved namespace) || not_started 'the API server does not answer'
[ -z "$left" ] || not_started "another drill goes on, or was killed. If it was killed, run this script with --restore first"
# Without these, what was deleted could not be put back. If another right is missing, its step fails.
for kind in mutatingwebhookconfigurations validatingwebhookconfigurations; do
  kubectl auth can-i --quiet create "$kind" 2>/dev/null || not_started "you may not create $kind"
done
kubectl get namespace carm-webhook --as=break-glass --as-group=system:masters --as-group=carm-webhook:break-glass >/dev/null \
  || not_started 'you may not take the group carm-webhook:break-glass'
namespace_made=yes
if ! said=$(kubectl create -f - 2>&1 <<NAMESPACE_END
apiVersion: v1
kind: Namespace
metadata:
  name: $NAMESPACE
  labels:
    app.kubernetes.io/managed-by: break-glass-drill
  annotations:
    services.k8s.aws/owner-account-id: "$account"
NAMESPACE_END
); then
  ! webhook_is_down || not_started "the webhook is down already: this is no drill. Follow docs/break-glass.md. $said"
  not_started "$said"
fi
until_pod_has_role before || not_started "a pod should get its role: $said"
shown "a pod is created, with the role $role"

step 'Stop the webhook'
begun=yes
save
kubectl scale deployment/carm-webhook -n carm-webhook --replicas=0
until_pod_fails denied || failed "pods are still created after $limit s. Does something scale the Deployment?"
shown "a new pod fails: $said"

step 'Bypass the webhook once'
bypass_the_webhook_once || failed 'the pod was not created'
shown 'a pod is created by the group'

step 'Let one namespace through'
let_one_namespace_through || failed 'the namespace was not changed'
until_pod_is_created let-through || failed "$said"
shown 'a pod is created in the namespace'
manage_namespace_again
until_pod_fails denied || failed "managed again, but pods are still created after $limit s"
shown 'managed again: a new pod fails'

step 'Free the whole cluster'
free_the_whole_cluster || failed 'the configurations were not deleted'
until_pod_is_created freed || failed "$said"
shown 'a pod is created'

step 'Back to normal'
turn_on || failed "the webhook is not on after $limit s"
until_pod_has_role after || failed "a pod should get its role: $said"
shown "a pod is created, with the role $role"
is_on=yes
