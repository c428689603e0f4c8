#!/usr/bin/env bash
# Finds what some tests need beside Redis, or installs it with the package manager of
# this machine: a browser for the live page, promtool for the rules of Prometheus,
# systemd-analyze for the units, openssl for certificates, curl for the documents,
# nginx, HAProxy and Caddy for the examples of proxies, node for that of JavaScript.
# Without one of them its tests are skipped, except where CI is true. It ends with 1 if
# one is still missing.
#
# Each is installed by itself, so that one that there is not stops no other. None of
# them starts anything: of Debian's packages that would start a server, the program
# alone is taken.
set -uo pipefail

sudo=()
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
  sudo=(sudo)
fi

say() { echo "tools: $*" >&2; }
found() { command -v "$1" >/dev/null; }

# refresh reads the lists of packages, once. Old lists are better than none.
refreshed=
refresh() {
  if [ -z "$refreshed" ]; then
    "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=120 update -qq >&2 || say "the lists of packages could not be read"
    refreshed=yes
  fi
}

# add PACKAGE-OF-DEBIAN PACKAGE-OF-FEDORA
add() {
  if found apt-get; then
    refresh
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "$1" >&2
  elif found dnf; then
    "${sudo[@]}" dnf install -y -q "$2" >&2
  else
    say "there is no apt-get and no dnf here"
  fi
}

# unpack PACKAGE PATH takes one program out of a package of Debian without installing
# it, and installs the libraries that it needs.
unpack() {
  local dir library
  refresh
  for library in $(apt-cache depends --important "$1" | awk '$1 == "Depends:" && $2 ~ /^lib/ { print $2 }'); do
    add "$library" ""
  done
  dir=$(mktemp -d) || return
  (cd "$dir" && apt-get download -qq "$1" >&2 && dpkg-deb -x "$1"_*.deb . &&
    "${sudo[@]}" install -D -m 755 "$2" "/usr/local/bin/${2##*/}")
  rm -rf "$dir"
}

# get PROGRAM COMMAND... runs the command unless the program is there.
missing=()
get() {
  local program=$1
  shift
  found "$program" && return
  say "there is no $program on the PATH; installing it"
  "$@"
  hash -r
  found "$program" || missing+=("$program")
}

# The tests take any of these browsers.
found chromium-browser || found google-chrome || get chromium add chromium chromium
get curl add curl curl
get systemd-analyze add systemd systemd
get openssl add openssl openssl
get node add nodejs nodejs
if found apt-get; then
  get promtool unpack prometheus usr/bin/promtool
  get nginx unpack nginx usr/sbin/nginx
  get haproxy unpack haproxy usr/sbin/haproxy
  get caddy unpack caddy usr/bin/caddy
else
  get promtool add prometheus golang-github-prometheus
  get nginx add nginx nginx
  get haproxy add haproxy haproxy
  get caddy add caddy caddy
fi

if [ ${#missing[@]} -gt 0 ]; then
  say "could not be installed: ${missing[*]}. Their tests are skipped, or fail where CI is true"
  exit 1
fi
