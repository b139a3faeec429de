#!/bin/bash
# Start-up script of every VM of a cluster. It brings the programs of the services here, runs the one that this VM is for,
# and removes the VM when that one has ended for good, or could not be brought here. What it reads from the metadata
# server is public to whoever may look at the VM; the only secret, the VM's signed identity, comes from Google on demand.
#
# BURLA_VM_HOME and BURLA_VM_NODE are for machines without Container-Optimized OS: where to keep state, and a Node.js to
# run programs with instead of a container.
set -u -o pipefail

home="${BURLA_VM_HOME:-/var/lib/burla}"
# How long programs may be missing, and how often a service may fail in a row, before the VM is given up.
fetch_seconds="${BURLA_VM_FETCH_SECONDS:-600}"
max_failures=5
server_name="main.burla.internal"
stopping=""
# The system's shutdown: the service gets this signal too, and ends by itself.
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

# Node.js with these arguments, in a container that sees the state folder, the network and the container engine.
run_node() {
  if [ -n "${BURLA_VM_NODE:-}" ]; then
    "$BURLA_VM_NODE" "$@"
    return
  fi
  docker run --rm --name "burla-$role" --network host --stop-timeout 25 \
    --env BURLA_MAIN --env BURLA_NODE --env GCE_METADATA_HOST \
    --volume "$home:$home" --workdir "$home" --volume /var/run/docker.sock:/var/run/docker.sock \
    "$image" node "$@"
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
  while [ -z "$stopping" ] && [ "$SECONDS" -lt "$until" ]; do
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

# Runs the service until it ends by itself, which is status 0, the VM is shut down, or it fails again and again.
run_service() {
  local failures=0 started status
  BURLA_MAIN="" BURLA_NODE=""
  if [ "$role" = main ]; then BURLA_MAIN="$(attribute burla-config)"; else BURLA_NODE="$(attribute burla-config)"; fi
  export BURLA_MAIN BURLA_NODE
  while [ -z "$stopping" ]; do
    started=$SECONDS
    run_node "package/dist/services/$role.mjs" &
    wait_for $!
    status=$?
    say "$role ended with status $status"
    [ "$status" -eq 0 ] && return 0
    if [ $((SECONDS - started)) -gt 60 ]; then failures=0; fi
    failures=$((failures + 1))
    [ "$failures" -ge "$max_failures" ] && return 1
    sleep 1
  done
  return 0
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
  say "could not remove this VM, so it is switched off"
  [ -n "${BURLA_VM_NODE:-}" ] || shutdown -h now
}

mkdir -p "$home" && chmod 700 "$home" && cd "$home" || exit 1
role="$(attribute burla-role)" && programs="$(attribute burla-programs)" && image="$(attribute burla-image)" || exit 1
say "this VM is for $role"
if ! bring_programs; then
  [ -n "$stopping" ] || remove_vm "the programs did not come"
  exit 1
fi
if run_service; then reason="its service has ended"; else reason="its service fails again and again"; fi
[ -n "$stopping" ] || remove_vm "$reason"
