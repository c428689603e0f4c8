#!/usr/bin/env bash
# Makes a private certificate authority, and a certificate for each host that is
# named:
#
#   deploy/tls/certificates.sh FOLDER redis=redis.example.com api=orders.example.com
#
# writes ca.crt, ca.key, redis.crt, redis.key, api.crt and api.key. An authority
# that is there already is used again. Keep ca.key off the machines that serve.
set -euo pipefail
umask 077

authority_days=3650 # replaced with everything that trusts it
host_days=397       # what browsers take at most; make the next one before

if [ "$#" -lt 2 ]; then
  echo "usage: $0 FOLDER NAME=HOST..." >&2
  exit 2
fi
folder=$1
shift
mkdir -p "$folder"
cd "$folder"

if [ ! -e ca.key ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days "$authority_days" \
    -subj "/CN=order processor authority" -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout ca.key -out ca.crt
fi

for pair in "$@"; do
  name=${pair%%=*} host=${pair#*=}
  kind=DNS
  if [[ $host =~ ^[0-9.]+$|: ]]; then
    kind=IP
  fi
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj "/CN=$host" -keyout "$name.key" -out "$name.csr"
  openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days "$host_days" -out "$name.crt" \
    -extfile <(printf 'subjectAltName=%s:%s\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n' "$kind" "$host")
  rm "$name.csr"
done
chmod 644 ./*.crt # certificates are public, keys are not
