#!/usr/bin/env bash
# Runs the order service on free ports with a private Redis, and orderctl prove against it,
# with the arguments of this script.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
dev=
stop() {
  if [ -n "$dev" ]; then
    kill "$dev" 2>/dev/null || true
    wait "$dev" || true
  fi
  rm -rf "$folder"
}
trap stop EXIT

go build -o "$folder/orderctl" ./cmd/orderctl
"$folder/orderctl" dev --http 127.0.0.1:0 --data "$folder/redis" >"$folder/log" 2>&1 &
dev=$!
api=
while [ -z "$api" ]; do
  if ! kill -0 "$dev" 2>/dev/null; then
    cat "$folder/log" >&2
    exit 1
  fi
  sleep 0.1
  api=$(sed -n 's/^ *API  *\(http:[^ ]*\)$/\1/p' "$folder/log")
done
"$folder/orderctl" prove --api "$api" --yes "$@"
