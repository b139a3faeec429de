#!/usr/bin/env bash
# What a project needs once before anybody starts a cluster in it. It may be run again, and undone.
#
#   docs/gcp/setup.sh PROJECT [user:ann@example.com ...]     makes it, and lets these people start clusters
#   docs/gcp/setup.sh --undo PROJECT [user:ann@example.com ...]
#
# By somebody who may change roles and accounts of the project: `roles/owner`, or project IAM admin, role
# administrator, service account admin and service usage admin.
set -euo pipefail

undo=""
if [ "${1:-}" = "--undo" ]; then undo=yes; shift; fi
project="${1:?name the project}"
shift
here="$(cd "$(dirname "$0")" && pwd)"
services=(compute.googleapis.com iam.googleapis.com serviceusage.googleapis.com cloudresourcemanager.googleapis.com)

email() { printf '%s@%s.iam.gserviceaccount.com' "$1" "$project"; }
quiet() { "$@" --project "$project" --quiet > /dev/null; }
is_there() { "$@" --project "$project" > /dev/null 2>&1; }
# Bindings are of the project, whose name is the argument itself.
bind() { gcloud projects "$1-iam-policy-binding" "$project" --member "$2" --role "projects/$project/roles/$3" "${@:4}" --quiet > /dev/null; }
# WHO may run VMs as ACCOUNT, and as no other.
may_act_as() { quiet gcloud iam service-accounts "$1-iam-policy-binding" "$(email "$3")" --member "$2" --role roles/iam.serviceAccountUser; }

bindings() {
  bind "$1" "serviceAccount:$(email burla-main)" burla_main --condition None
  bind "$1" "serviceAccount:$(email burla-node)" burla_node --condition-from-file "$here/burla-node-condition.json"
  may_act_as "$1" "serviceAccount:$(email burla-main)" burla-node
}

if [ -n "$undo" ]; then
  for who in "$@"; do
    bind remove "$who" burla_user --condition None || true
    may_act_as remove "$who" burla-main || true
  done
  bindings remove || true
  for name in burla-main burla-node; do
    is_there gcloud iam service-accounts describe "$(email "$name")" && quiet gcloud iam service-accounts delete "$(email "$name")"
  done
  for role in user main node; do
    is_there gcloud iam roles describe "burla_$role" && quiet gcloud iam roles delete "burla_$role"
  done
  # Services stay on: others may use them.
  exit 0
fi

quiet gcloud services enable "${services[@]}"
for role in user main node; do
  # A role that was deleted within a week keeps its name.
  gcloud iam roles undelete "burla_$role" --project "$project" --quiet > /dev/null 2>&1 || true
  if is_there gcloud iam roles describe "burla_$role"; then verb=update; else verb=create; fi
  quiet gcloud iam roles "$verb" "burla_$role" --file "$here/burla-$role.json"
done
for name in burla-main burla-node; do
  is_there gcloud iam service-accounts describe "$(email "$name")" || quiet gcloud iam service-accounts create "$name"
done
bindings add
for who in "$@"; do
  bind add "$who" burla_user --condition None
  may_act_as add "$who" burla-main
done
