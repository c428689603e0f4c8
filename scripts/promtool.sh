#!/usr/bin/env bash
# Finds promtool, which checks and tests the rules of Prometheus, or installs it with
# the package manager of this machine. Without it the tests of the rules are skipped,
# except where CI is true.
set -euo pipefail

if command -v promtool >/dev/null; then
  exit 0
fi

sudo=()
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
  sudo=(sudo)
fi

echo "there is no promtool on the PATH; installing it for the tests" >&2
if command -v apt-get >/dev/null; then
  "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=120 update -qq || true
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends prometheus >&2 || true
elif command -v brew >/dev/null; then
  brew install prometheus >&2 || true
elif command -v dnf >/dev/null; then
  "${sudo[@]}" dnf install -y -q golang-github-prometheus >&2 || true
fi

if ! command -v promtool >/dev/null; then
  echo "promtool is not on the PATH. Install the package prometheus (Debian, Ubuntu, macOS) or golang-github-prometheus (Fedora) and run this again." >&2
  exit 1
fi
