#!/bin/bash
# keeper.sh MARK FOLDER: ends what an emulator leaves behind. Its stdin is a pipe that the emulator holds: when that ends,
# however the emulator ended, all processes with EMULATED_VM=MARK... in their environment are killed, and the folder goes.
set -u
mark="$1"
folder="$2"
trap '' TERM INT HUP
cat >/dev/null

left() {
  grep -lzs "^EMULATED_VM=$mark" /proc/[0-9]*/environ | sed 's#/proc/\([0-9]*\)/environ#\1#'
}

for _ in $(seq 100); do
  pids="$(left)"
  [ -n "$pids" ] || break
  for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done
  sleep 0.05
done
rm -rf "$folder"
