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
  mkdir -p "$root/pids/$group/world"
  echo "$$" >"$root/pids/$group/world/cgroup.procs"
fi

exec unshare --fork --kill-child --pid --mount-proc --mount --propagation private --net --ipc --uts -- \
  sh "$(dirname "$0")/enter.sh" "$@"
