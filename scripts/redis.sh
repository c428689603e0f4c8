#!/usr/bin/env bash
# Finds the server of the tests: that of REDIS_SERVER, or else redis-server, which it installs
# with the package manager of this machine.
set -euo pipefail

program=${REDIS_SERVER:-redis-server}

usable() {
  command -v "$program" >/dev/null || return 1
  version=$("$program" --version | sed -n 's/.*v=\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  read -r major minor <<<"$version"
  [ "${major:-0}" -gt 6 ] || { [ "${major:-0}" -eq 6 ] && [ "${minor:-0}" -ge 2 ]; }
}

if usable; then
  exit 0
fi
if [ -n "${REDIS_SERVER:-}" ]; then
  echo "REDIS_SERVER is $program, which is no Redis 6.2 or later and no Valkey" >&2
  exit 1
fi

sudo=()
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
  sudo=(sudo)
fi

echo "there is no redis-server 6.2 or later on the PATH; installing it for the tests" >&2
if command -v apt-get >/dev/null; then
  "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=120 update -qq || true
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends redis-server >&2 || true
elif command -v brew >/dev/null; then
  brew install redis >&2 || true
elif command -v dnf >/dev/null; then
  "${sudo[@]}" dnf install -y -q redis >&2 || true
fi

if ! usable; then
  echo "The tests need redis-server 6.2 or later on the PATH. Install the package redis-server (Debian, Ubuntu) or redis (macOS, Fedora) and run this again." >&2
  exit 1
fi
