#!/bin/sh
# The first process of a test node's own world: PID 1 of its process namespace, in a mount, network, IPC and host name namespace
# of its own. All that it starts and mounts goes with it. Arguments: the command to run. See run-isolated.ts.
set -eu
# The first process gets no signal that it does not handle.
trap 'exit 143' TERM INT HUP

# Sockets, network namespaces of pods, xtables' lock.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/netns /run/kernel-settings

# kubelet sets these for the whole machine; it reads and writes copies instead.
# https://github.com/kubernetes/kubernetes/blob/v1.36.3/staging/src/k8s.io/component-helpers/node/util/sysctl/sysctl.go
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  if [ -e "/proc/sys/$name" ]; then
    copy="/run/kernel-settings/$(echo "$name" | tr / _)"
    cat "/proc/sys/$name" >"$copy"
    mount --bind "$copy" "/proc/sys/$name"
  fi
done

# One address, by which the node and its pods reach each other. The default route leads nowhere: nothing can leave.
ip link set lo up
ip link add node0 type veth peer name node1
ip addr add "$NODE_ADDRESS/24" dev node0
ip link set node0 up
ip link set node1 up
ip route add default dev node0
hostname "$NODE_NAME"

# As PID 1 the shell also collects what the shims of ended containers leave.
"$@" &
child=$!
# A signal comes to the whole group, so the command has it already.
trap : TERM INT HUP
code=0
wait "$child" || code=$?
# A signal ends a wait early.
while kill -0 "$child" 2>/dev/null; do
  code=0
  wait "$child" || code=$?
done
exit "$code"
