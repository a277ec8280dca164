#!/bin/sh
# Runs a client with folders mounted as kubelet does. Arguments: number of folders, for each the folder and where it is mounted, the
# command. /run is the client's own: nothing that is mounted there is seen outside.
set -eu
count=$1
shift
mount -t tmpfs -o mode=755 tmpfs /run
while [ "$count" -gt 0 ]; do
  mkdir -p "$2"
  mount --bind "$1" "$2"
  shift 2
  count=$((count - 1))
done
exec "$@"
