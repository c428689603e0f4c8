#!/usr/bin/env bash
# Finds what some tests need beside Redis, or installs it with the package manager of
# this machine: a browser for the live page, promtool for the rules of Prometheus,
# systemd-analyze for the units. Without one of them its tests are skipped, except
# where CI is true.
set -uo pipefail

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need chromium chromium
need promtool prometheus
need systemd-analyze systemd
need openssl openssl
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

sudo=()
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
  sudo=(sudo)
fi
echo "installing ${missing[*]} for the tests that need them" >&2
if command -v apt-get >/dev/null; then
  "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=120 update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${missing[@]}" >&2
elif command -v dnf >/dev/null; then
  "${sudo[@]}" dnf install -y -q "${missing[@]/#prometheus/golang-github-prometheus}"
else
  echo "there is no package manager that has them all; their tests are skipped" >&2
fi
exit 0
