#!/bin/sh
# Makes the control group of a test node, joins it, and goes on in namespaces of its own. Arguments: name of the control group,
# command to run.
set -eu
group=$1
shift

# Version 1 has a folder for each controller, version 2 one for all. https://man7.org/linux/man-pages/man7/cgroups.7.html
root=/sys/fs/cgroup
if [ -e "$root/cgroup.procs" ]; then
  mkdir -p "$root/$group/world"
  echo "$$" >"$root/$group/world/cgroup.procs"
else
  for controller in "$root"/*/; do
    mkdir -p "$controller/$group"
    # A new group has no processors and no memory yet.
    for file in cpuset.cpus cpuset.mems; do
      [ -e "$controller/$file" ] && cat "$controller/$file" >"$controller/$group/$file"
    done
  done
  # A group counts as much as one process outside, and the node's would hold all pods. It gets the weight of as many programs as it
  # has. Within it, the control plane gets what kubelet gives all pods: 1024 for each processor.
  # https://docs.kernel.org/scheduler/sched-design-CFS.html#group-scheduler-extensions-to-cfs
  for controller in pids cpu; do
    mkdir -p "$root/$controller/$group/world"
    echo "$$" >"$root/$controller/$group/world/cgroup.procs"
  done
  echo "$((4 * 1024 * $(nproc)))" >"$root/cpu/$group/cpu.shares"
  echo "$((1024 * $(nproc)))" >"$root/cpu/$group/world/cpu.shares"
fi

exec unshare --fork --kill-child --pid --mount-proc --mount --propagation private --net --ipc --uts -- \
  sh "$(dirname "$0")/enter.sh" "$@"
