#!/usr/bin/env bash
# Finds the programs that some tests need besides Redis, or installs them with the package
# manager of this machine. Without one of them its tests are skipped, except where CI is
# true. Exits with 1 if one is still missing.
#
# Nothing is started: of Debian packages that would start a server, only the program is
# installed.
set -uo pipefail

sudo=()
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
  sudo=(sudo)
fi

say() { echo "tools: $*" >&2; }
found() { command -v "$1" >/dev/null; }

# refresh updates the package lists, once. Old lists are better than none.
refreshed=
refresh() {
  if [ -z "$refreshed" ]; then
    "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=120 update -qq >&2 || say "the package lists could not be updated"
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

# unpack PACKAGE PATH installs one program of a Debian package, and the libraries it needs.
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

# The tests of the live page use any of these browsers.
found chromium-browser || found google-chrome || get chromium add chromium chromium
get curl add curl curl
get jq add jq jq
get systemd-analyze add systemd systemd
get openssl add openssl openssl
get sqlite3 add sqlite3 sqlite
get node add nodejs nodejs

# Debian keeps the programs of PostgreSQL off the PATH. Its package would make a database
# and start it, unless this file says otherwise.
postgres() { found initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
if ! postgres; then
  say "there is no PostgreSQL server; installing it"
  conf=/etc/postgresql-common/createcluster.conf
  if found apt-get && [ ! -e "$conf" ]; then
    "${sudo[@]}" mkdir -p "${conf%/*}" && echo "create_main_cluster = false" | "${sudo[@]}" tee "$conf" >/dev/null
  fi
  add postgresql postgresql-server
  postgres || missing+=(postgresql)
fi
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
