#!/bin/sh
# Outlives whoever started a test node, and removes what a dead one cannot: processes, control groups, data. Descriptor 3 is a
# pipe from the starter: a line with the exit code, or the end of the pipe without a line if the starter was killed.
# Arguments: the folder of all files; the control groups have the same name as it.
folder=$1
group=$(basename "$folder")
read -r code <&3 || code=killed

# Processes that were killed may take a moment to go; a control group with one in it cannot be removed.
turns=0
while [ "$turns" -lt 300 ]; do
  left=
  for parent in /sys/fs/cgroup /sys/fs/cgroup/*; do
    if [ -d "$parent/$group" ]; then
      # The first process of a process namespace takes all others with it.
      find "$parent/$group" -name cgroup.procs -exec cat {} + 2>/dev/null | xargs -r kill -KILL 2>/dev/null
      find "$parent/$group" -depth -type d -exec rmdir {} + 2>/dev/null
      [ -d "$parent/$group" ] && left=yes
    fi
  done
  [ -z "$left" ] && break
  turns=$((turns + 1))
  sleep 0.1
done

if [ "$code" = 0 ]; then
  rm -rf "$folder"
else
  # The logs stay for whoever looks for the reason. find follows no link that someone may have put there.
  find "$folder" -mindepth 1 -maxdepth 1 ! -name 'carm-webhook-plane-*' -exec rm -rf {} +
  find "$folder" -mindepth 2 -maxdepth 2 ! -name logs -exec rm -rf {} +
  find "$folder" -maxdepth 1 -type d -empty -delete
fi
[ -z "$left" ]
