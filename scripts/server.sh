#!/usr/bin/env bash
# Prints the path of a server for the tests: scripts/server.sh redis-7, redis-8, valkey-8 or
# valkey-9. It is the one on the PATH if that is of the version, and else Debian's, which is
# put into a folder of its own together with the libraries it needs. Nothing of this machine
# is replaced, and nothing is started. Remove the folder to get a newer one.
set -euo pipefail

name=${1:-}
case $name in
  redis-7) suite=bookworm ;;
  redis-8 | valkey-8) suite=trixie ;;
  valkey-9) suite=sid ;;
  *)
    echo "usage: scripts/server.sh redis-7|redis-8|valkey-8|valkey-9" >&2
    exit 2
    ;;
esac
kind=${name%-*}
program=$kind-server
dir=${XDG_CACHE_HOME:-$HOME/.cache}/orderprocessor/servers/$name

# usable PROGRAM says whether it runs and has the major version.
usable() { "$1" --version 2>/dev/null | grep -q " v=${name#*-}\."; }

say() { echo "server: $*" >&2; }

# unpack DIR SUITE puts the program and its libraries there. The package manager of this
# machine does not see it: apt-get gets lists of its own, in DIR.
unpack() {
  local new=$1 packages=("$program" "$kind-tools") level=("$kind-tools") loader
  local apt=(
    -o "Dir::Etc::SourceList=$new/sources.list" -o Dir::Etc::SourceParts=-
    -o "Dir::State::Lists=$new/lists" -o "Dir::Cache=$new/cache" -o "Dir::State::status=$new/status"
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
    -o APT::Sandbox::User=root
  )
  mkdir -p "$new"/{lists,cache/archives}/partial "$new/packages" && : >"$new/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $2 main" >"$new/sources.list"
  apt-get "${apt[@]}" update -qq >&2 || return
  while [ ${#level[@]} -gt 0 ]; do # the libraries, and theirs
    mapfile -t level < <(apt-cache "${apt[@]}" depends --important "${level[@]}" |
      awk '$1 == "Depends:" && $2 ~ /^z?lib/ { print $2 }' | sort -u | grep -vxF "$(printf '%s\n' "${packages[@]}")")
    packages+=("${level[@]}")
  done
  (cd "$new/packages" && apt-get "${apt[@]}" download -qq "${packages[@]}" >&2) || return
  for package in "$new"/packages/*.deb; do
    dpkg-deb -x "$package" "$new/root" || return
  done
  rm -rf "$new"/{lists,cache,packages,status}

  # The loader of the package, as its C library may be newer than that of this machine.
  loader=$(cd "$new" && find root -name 'ld-linux*.so.*' | head -1)
  libraries=$(cd "$new" && find root -name '*.so.*' -printf "$dir/%h\n" | sort -u | paste -sd:)
  cat >"$new/$program" <<END
#!/bin/sh
exec '$dir/$loader' --argv0 $program --library-path '$libraries' '$dir/root/usr/bin/$program' "\$@"
END
  chmod +x "$new/$program"
}

if usable "$program"; then
  command -v "$program"
  exit
fi
if ! usable "$dir/$program"; then
  say "there is no $program ${name#*-} on the PATH; unpacking that of Debian into $dir"
  mkdir -p "${dir%/*}"
  new=$(mktemp -d "$dir.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  if command -v apt-get >/dev/null && unpack "$new" "$suite"; then
    rm -rf "$dir" && mv "$new" "$dir"
  fi
fi
if ! usable "$dir/$program"; then
  say "MISSING: $name is not here and could not be had. Install $program ${name#*-} and put it on the PATH"
  exit 1
fi
echo "$dir/$program"
