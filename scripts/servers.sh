#!/usr/bin/env bash
# Runs the tests that depend most on the server, with fewer orders where they race, on each of
# the servers named: redis-7, redis-8, valkey-8, valkey-9. What cannot be had (scripts/server.sh) is named at the end, and
# is an error where CI is true.
set -uo pipefail
cd "$(dirname "$0")/.."

packages=(./internal/ledger ./internal/queue/... ./internal/recovery ./internal/app ./test/e2e)

missing=()
failed=()
for name in "$@"; do
  if ! server=$(scripts/server.sh "$name"); then
    missing+=("$name")
    continue
  fi
  echo "on $("$server" --version | cut -d' ' -f1,3):"
  REDIS_SERVER=$server go test -vet off -short -p 4 -timeout 30m "${packages[@]}" || failed+=("$name")
done

if [ ${#missing[@]} -gt 0 ]; then
  echo "servers: NOT TESTED, as they could not be had: ${missing[*]}" >&2
fi
if [ ${#failed[@]} -gt 0 ]; then
  echo "servers: FAILED on ${failed[*]}" >&2
fi
[ ${#failed[@]} -eq 0 ] && { [ ${#missing[@]} -eq 0 ] || [ "${CI:-}" != true ]; }
