#!/bin/bash
# Start-up script of every VM of a cluster. It brings the programs of the services here, runs the one that this VM is for,
# and removes the VM when that one has ended for good, or could not be brought here. What it reads from the metadata
# server is public to whoever may look at the VM; the only secret, the VM's signed identity, comes from Google on demand.
#
# Google's guest agent runs it at each boot, kills it when the system stops, and passes no signal on. So it only writes a
# unit of systemd and starts that; the unit calls this file again:
#
#     boot.sh run     brings the programs and runs the service
#     boot.sh stop    the system stops: lets the service end in its own way
#
# BURLA_VM_HOME and BURLA_VM_NODE are for machines without Container-Optimized OS: where to keep state, and a Node.js to
# run programs with instead of a container and a unit.
set -u -o pipefail

home="${BURLA_VM_HOME:-/var/lib/burla}"
own_node="${BURLA_VM_NODE:-}"
# How long image, metadata and programs may be missing before the VM is given up.
fetch_seconds="${BURLA_VM_FETCH_SECONDS:-600}"
# How often a service may fail in a row: a node has nothing that another one would not have, main has the cluster's state.
max_node_failures=5
max_main_failures=30
max_pause=60
server_name="main.burla.internal"
# Not on the disk: it is about this boot.
stop_mark="/run/burla-stopping"
unit="/etc/systemd/system/burla.service"
container="burla-service"
stopping=""
# Without a unit, the system's shutdown: the service gets this signal too, and ends by itself.
trap 'stopping=1' TERM INT

metadata() {
  curl --silent --fail --retry 5 --retry-connrefused --max-time 30 --header 'Metadata-Flavor: Google' \
    "http://${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1/$1"
}

attribute() {
  metadata "instance/attributes/$1"
}

say() {
  echo "burla: $*"
}

is_stopping() {
  [ -n "$stopping" ] || { [ -z "$own_node" ] && [ -e "$stop_mark" ]; }
}

# The same command again, ever more slowly, until it succeeds, its time is over or the system stops.
insist() {
  local until=$((SECONDS + fetch_seconds)) pause=1
  until "$@"; do
    if is_stopping || [ "$SECONDS" -ge "$until" ]; then return 1; fi
    sleep "$pause"
    pause=$((pause < 15 ? pause * 2 : 15))
  done
}

# Node.js with these arguments, in a container that sees the state folder and the network. It stays after its end, for
# its last lines; one of an earlier boot may still be there. The engine's socket is root on the VM: only where nodes
# make containers.
run_node() {
  if [ -n "$own_node" ]; then
    "$own_node" "$@"
    return
  fi
  local engine=()
  [ "$has_engine" = TRUE ] && engine=(--volume /var/run/docker.sock:/var/run/docker.sock)
  docker rm --force "$container" >/dev/null 2>&1
  docker run --name "$container" --init --network host --log-driver json-file --log-opt max-size=10m --log-opt max-file=3 \
    --env BURLA_MAIN --env BURLA_NODE --env GCE_METADATA_HOST \
    --volume "$home:$home" --workdir "$home" "${engine[@]}" "$image" node "$@"
}

has_image() {
  docker image inspect "$image" >/dev/null 2>&1 || timeout 300 docker pull --quiet "$image"
}

# Container-Optimized OS lets nothing in but SSH. Its rules are fresh at each boot.
open_port() {
  local port rule
  [ -z "$own_node" ] && command -v iptables >/dev/null || return 0
  port="$(attribute burla-port)" || return 1
  rule=(INPUT --protocol tcp --dport "$port" --jump ACCEPT)
  iptables -w --check "${rule[@]}" 2>/dev/null || iptables -w --insert "${rule[@]}"
}

# It mounts /var without the right to execute, which add-ons and programs of packages need.
allow_programs() {
  [ -z "$own_node" ] || return 0
  mountpoint --quiet "$home" || mount --bind "$home" "$home" || return 1
  mount -o remount,bind,exec "$home"
}

has_programs() {
  [ -f programs.tgz ] && echo "$programs  programs.tgz" | sha256sum --check --status
}

# Main's VM: whoever starts the cluster sends the archive. Its hash is known, so anybody may.
receive_programs() {
  attribute burla-receiver >receive.mjs || return 1
  run_node receive.mjs "$(metadata instance/network-interfaces/0/ip)" "$(attribute burla-port)" "$programs" programs.tgz "$fetch_seconds"
}

# Other VMs: main has it, and gives it to VMs that it made.
download_programs() {
  attribute burla-certificate >main.pem || return 1
  local port address identity until
  port="$(attribute burla-port)" && address="$(attribute burla-main)" || return 1
  until=$((SECONDS + fetch_seconds))
  while ! is_stopping && [ "$SECONDS" -lt "$until" ]; do
    identity="$(metadata "instance/service-accounts/default/identity?audience=$(attribute burla-audience)&format=full")" || identity=""
    if curl --silent --fail --max-time 120 --cacert main.pem --resolve "$server_name:$port:$address" \
      --header @<(printf 'Authorization: Bearer %s' "$identity") --output programs.tgz "https://$server_name:$port/v1/programs" && has_programs; then
      return 0
    fi
    sleep 1
  done
  return 1
}

bring_programs() {
  if ! has_programs; then
    if [ "$role" = main ]; then receive_programs; else download_programs; fi
    has_programs || return 1
  fi
  mkdir -p package && tar -xzf programs.tgz -C package
}

# Runs the service until it ends by itself, which is status 0, the VM is shut down, or it fails again and again. What
# fails is tried ever more slowly, a minute apart at last.
run_service() {
  local failures=0 pause=1 max="$max_node_failures" started status
  BURLA_MAIN="" BURLA_NODE=""
  insist has_config || return 1
  if [ "$role" = main ]; then
    BURLA_MAIN="$config" max="$max_main_failures"
  else
    BURLA_NODE="$config"
  fi
  export BURLA_MAIN BURLA_NODE
  while ! is_stopping; do
    started=$SECONDS
    run_node "package/dist/services/$role.mjs" &
    wait_for $!
    status=$?
    say "$role ended with status $status"
    [ "$status" -eq 0 ] && return 0
    is_stopping && return 0
    if [ $((SECONDS - started)) -gt 60 ]; then failures=0 pause=1; fi
    failures=$((failures + 1))
    publish_end "$status"
    [ "$failures" -ge "$max" ] && return 1
    sleep "$pause"
    [ "$role" = main ] && pause=$((pause * 2 < max_pause ? pause * 2 : max_pause))
  done
  return 0
}

# What the service said last, where `burla up` and whoever may look at the VM find it. Only main's VM has such a place.
publish_end() {
  [ "$role" = main ] || return 0
  {
    echo "main ended with status $1"
    [ -n "$own_node" ] || docker logs --tail 60 "$container" 2>&1
  } | tail -c 16000 | curl --silent --fail --max-time 30 --request PUT --header 'Metadata-Flavor: Google' --data-binary @- \
    "http://${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1/instance/guest-attributes/burla/failure" >/dev/null
}

# As `wait`, which a signal ends early.
wait_for() {
  local status
  while true; do
    wait "$1"
    status=$?
    kill -0 "$1" 2>/dev/null || return "$status"
  done
}

# What costs money goes when it is of no use. If the VM may not remove itself, it is at least switched off.
remove_vm() {
  local token path
  token="$(metadata instance/service-accounts/default/token | sed 's/.*"access_token" *: *"\([^"]*\)".*/\1/')"
  path="projects/$(metadata project/project-id)/zones/$(metadata instance/zone | sed 's#.*/##')/instances/$(metadata instance/name)"
  say "removes this VM: $1"
  curl --silent --fail --retry 5 --request DELETE --header @<(printf 'Authorization: Bearer %s' "$token") \
    "$(attribute burla-api || echo https://compute.googleapis.com)/compute/v1/$path" && return 0
  switch_off "it could not be removed"
}

switch_off() {
  say "switches this VM off: $1"
  [ -n "$own_node" ] || shutdown -h now
}

has_config() {
  config="$(attribute burla-config)"
}

has_role() {
  role="$(attribute burla-role)" && programs="$(attribute burla-programs)" && image="$(attribute burla-image)"
}

# Main's disk has the jobs and what is left of the log: such a VM is switched off, and goes on when somebody starts it.
give_up() {
  if is_stopping; then return; fi
  if [ "$role" = main ] && [ -d state ]; then switch_off "$1"; else remove_vm "$1"; fi
}

run() {
  mkdir -p "$home" && chmod 700 "$home" && cd "$home" || exit 1
  insist has_role || exit 1
  has_engine="$(attribute burla-engine || true)"
  say "this VM is for $role"
  allow_programs || say "could not allow programs in $home"
  if [ -z "$own_node" ] && ! insist has_image; then
    give_up "the image $image did not come"
    exit 1
  fi
  if [ "$role" = main ]; then open_port || say "could not open main's port"; fi
  if ! insist bring_programs; then
    give_up "the programs did not come"
    exit 1
  fi
  if ! run_service; then
    give_up "its service fails again and again"
  elif ! is_stopping; then
    remove_vm "its service has ended"
  fi
}

# The system stops, or this unit: whatever ends from now on is no reason to remove the VM.
stop() {
  touch "$stop_mark"
  docker stop --time 22 "$container" >/dev/null 2>&1
  return 0
}

# Before the engine stops, this does; the half minute of a VM that is taken back is enough for both. Output goes to the
# journal, which bounds its lines, and to the serial port.
install_unit() {
  mkdir -p "$home" && chmod 700 "$home" && cp -- "$0" "$home/boot.sh" || return 1
  cat >"$unit" <<UNIT || return 1
[Unit]
Description=Burla
Wants=docker.service network-online.target
After=docker.service network-online.target

[Service]
Environment=BURLA_VM_HOME=$home BURLA_VM_FETCH_SECONDS=$fetch_seconds ${GCE_METADATA_HOST:+GCE_METADATA_HOST=$GCE_METADATA_HOST}
ExecStartPre=/bin/rm -f $stop_mark
ExecStart=/bin/bash $home/boot.sh run
ExecStop=/bin/bash $home/boot.sh stop
KillMode=mixed
TimeoutStopSec=28
Restart=on-failure
RestartSec=5
StandardOutput=journal+console
StandardError=journal+console
UNIT
  systemctl daemon-reload && systemctl start --no-block burla.service
}

case "${1:-}" in
  run) run ;;
  stop) stop ;;
  *) if [ -n "$own_node" ]; then run; else install_unit; fi ;;
esac
