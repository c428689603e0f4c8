#!/usr/bin/env bash
# Finds redis-server, or installs it with the package manager of this machine.
set -euo pipefail

if command -v redis-server >/dev/null; then
  exit 0
fi

sudo=()
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
  sudo=(sudo)
fi

echo "redis-server is not on the PATH; installing it for the tests" >&2
if command -v apt-get >/dev/null; then
  "${sudo[@]}" apt-get update -qq || true
  # The server is started by the tests themselves, never as a service.
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends redis-server >&2 || true
elif command -v brew >/dev/null; then
  brew install redis >&2 || true
elif command -v dnf >/dev/null; then
  "${sudo[@]}" dnf install -y -q redis >&2 || true
fi

if ! command -v redis-server >/dev/null; then
  echo "The tests need redis-server 6.2 or later on the PATH. Install the package redis-server (Debian, Ubuntu) or redis (macOS, Fedora) and run this again." >&2
  exit 1
fi
