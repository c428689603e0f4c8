#!/usr/bin/env bash
# Checks the specification with Ajv, and generates clients from it that call the API: see
# test/clients. Installs node and npm with the package manager of this machine if they are
# not there; without them, or without their registry, those tests are skipped, except
# where CI is true.
set -euo pipefail
cd "$(dirname "$0")/.."

found() { command -v node >/dev/null && command -v npm >/dev/null; }

sudo=()
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
  sudo=(sudo)
fi

if ! found; then
  echo "clients: there is no node or no npm on the PATH; installing them" >&2
  if command -v apt-get >/dev/null; then
    "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=120 update -qq >&2 || true
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends nodejs npm >&2 || true
  elif command -v dnf >/dev/null; then
    "${sudo[@]}" dnf install -y -q nodejs npm >&2 || true
  fi
fi
found || echo "clients: node and npm could not be installed" >&2

go test -count 1 -timeout 60m -v ./test/clients
