#!/bin/sh
# Runs a command in a network namespace that has loopback only, so that a call of AWS itself fails at once. Loopback has the addresses at
# which AWS's SDKs look for the metadata service of a node and for the agent of EKS Pod Identity; tests listen there.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
# https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
set -eu
for program in unshare ip; do
  if ! command -v "$program" >/dev/null; then
    echo "$program is missing: these tests need Linux, with the packages util-linux and iproute2" >&2
    exit 2
  fi
done
user=
[ "$(id -u)" = 0 ] || user='--user --map-root-user'
# shellcheck disable=SC2086
exec unshare $user --net --mount --propagation private -- sh -c '
  ip link set lo up
  ip addr add 169.254.169.254/32 dev lo
  ip addr add 169.254.170.23/32 dev lo
  exec "$@"' sh "$@"
