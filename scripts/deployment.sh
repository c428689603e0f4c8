#!/usr/bin/env bash
# Checks the files of deploy with the tools of their formats, and then runs the Go tests of
# deploy. `make tools` installs jq, promtool and systemd-analyze; the other tools are Go
# modules. If one cannot be had, the script names it and leaves its checks out, or fails
# where CI is true.
set -euo pipefail
cd "$(dirname "$0")/.."

kustomize=sigs.k8s.io/kustomize/kustomize/v5@v5.8.2
validate=sigs.k8s.io/kubectl-validate@v0.0.4
score=github.com/zegl/kube-score/cmd/kube-score@v1.20.0
yq=github.com/mikefarah/yq/v4@v4.54.3
# kubectl-validate knows Kubernetes 1.30, the oldest that the manifests are for.
recent=k8s.io/kubernetes@v1.37.2
keda=github.com/kedacore/keda/v2@v2.21.0
operator=github.com/prometheus-operator/prometheus-operator@v0.85.0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
  echo "deployment: $*" >&2
  failed=1
}

# check NAME COMMAND... reports what the command says if it fails.
check() {
  local name=$1
  shift
  "$@" >"$work/out" 2>&1 || fail "$name: $(cat "$work/out")"
}

# have WHAT COMMAND... reports whether the command works, which the checks of WHAT need.
have() {
  local what=$1
  shift
  "$@" >"$work/out" 2>&1 && return
  if [ "${CI:-}" = true ]; then
    fail "$what: $(tail -1 "$work/out")"
  else
    echo "deployment: left out $what: $(tail -1 "$work/out")" >&2
  fi
  return 1
}

# module MODULE prints the folder of a Go module.
module() { go mod download -json "$1" | jq -er .Dir; }

# json FILE prints the documents of a YAML file as one JSON array.
json() { go run "$yq" -o=json "$1" | jq -s .; }

kubernetes() {
  local here=deploy/kubernetes out=$work/rendered dir file name
  mkdir -p "$out" "$work"/{crds,component}
  cp $here/doctor.yaml $here/secrets.example.yaml "$out"
  $here/prometheus-rule.sh example >"$out/prometheus-rule.yaml"
  for dir in base overlays/production overlays/try; do
    # overlays/try reads redis.conf, which lies outside of its folder.
    go run "$kustomize" build --load-restrictor LoadRestrictionsNone "$here/$dir" >"$out/$(basename $dir).yaml" || fail "kustomize build $dir"
  done
  for dir in "$here"/components/*; do # each on top of the base alone
    printf 'kind: Kustomization\nresources: [%s]\ncomponents: [%s]\n' "$(realpath --relative-to="$work/component" $here/base)" \
      "$(realpath --relative-to="$work/component" "$dir")" >"$work/component/kustomization.yaml"
    go run "$kustomize" build "$work/component" >"$out/$(basename "$dir").yaml" || fail "kustomize build $dir"
  done

  cp "$(module "$keda")"/config/crd/bases/keda.sh_{scaledobjects,triggerauthentications}.yaml \
    "$(module "$operator")"/example/prometheus-operator-crd/monitoring.coreos.com_{podmonitors,prometheusrules}.yaml "$work/crds"
  check "Kubernetes 1.30" go run "$validate" "$out" --local-crds "$work/crds" --version 1.30
  for file in "$(module "$recent")"/api/openapi-spec/v3/api*__v*_openapi.json; do
    name=$(basename "$file" _openapi.json)
    install -D -m 644 "$file" "$work/schemas/${name//__//}.json"
  done
  check "$recent" go run "$validate" "$out" --local-crds "$work/crds" --local-schemas "$work/schemas" --version ""

  local ignored=container-ephemeral-storage-request-and-limit,container-image-pull-policy,deployment-has-host-podantiaffinity
  local scored=(go run "$score" score --enable-optional-test container-seccomp-profile --ignore-container-cpu-limit --exit-one-on-warning)
  check "production" "${scored[@]}" --ignore-test "$ignored" "$out/production.yaml"
  # One replica is enough there, and the user of Redis's image has a low number.
  check "try" "${scored[@]}" --ignore-test "$ignored,deployment-replicas,container-security-context-user-group-id" "$out/try.yaml"

  json $here/secrets.example.yaml >"$work/example.json"
  for name in production try; do
    json "$out/$name.yaml" >"$work/$name.json"
    jq -r -f $here/rules.jq "$work/$name.json" >"$work/broken" || fail "rules.jq"
    while read -r file; do fail "overlay $name: it is not so that $file"; done <"$work/broken"
    jq -c --arg where "$name" --slurpfile example "$work/example.json" -f $here/programs.jq "$work/$name.json" >>"$work/programs.json" ||
      fail "programs.jq"
  done
  export PROGRAMS=$work/programs.json
}

prometheus() {
  local rules=deploy/prometheus/rules/alerts.yml tests=deploy/prometheus/tests/alerts.yml alert
  check "prometheus.yml" promtool check config deploy/prometheus/prometheus.yml
  check "alerts.yml" promtool check rules $rules
  check "tests of alerts.yml" promtool test rules $tests
  for alert in $(sed -n 's/.*- alert: //p' $rules); do
    grep -q "alertname: $alert, exp_alerts: \[\]" $tests || fail "no test shows that $alert stays silent"
    grep -A1 "alertname: $alert\$" $tests | grep -q 'exp_alerts:$' || fail "no test shows that $alert fires"
    grep -q "^| .*<a id=\"${alert,,}\"></a>.*\`$alert\`" docs/OPERATIONS.md || fail "docs/OPERATIONS.md has no row for $alert, or no anchor there"
  done
  json $rules | jq -e 'all(.[].groups[].rules[]; (.labels.severity | IN("critical", "warning"))
    and all(.annotations | .summary, .description; length > 0)
    and .annotations.runbook_url == "{{ $externalLabels.orders_runbook }}#\(.alert | ascii_downcase)")' >/dev/null ||
    fail "an alert lacks its severity, what to do, or its link"
  # promtool reads the queries of the dashboard as rules.
  jq '{groups: [{name: "dashboard", rules: [.panels[].targets[]?.expr | gsub("\\$__rate_interval"; "1m")]
    | to_entries | map({record: "query:\(.key)", expr: .value})}]}' deploy/grafana/dashboards/orders.json >"$work/dashboard.yml"
  check "queries of the dashboard" promtool check rules "$work/dashboard.yml"
}

units() {
  local unit setting
  for setting in Restart=always StartLimitIntervalSec=0; do # a service that ended is started again, however often
    grep -qx "$setting" deploy/systemd/orderprocessor-.service.d/common.conf || fail "the services lack $setting"
  done
  mkdir "$work/units"
  cp -r deploy/systemd/. "$work/units"
  cp "$work/units/orderprocessor-worker@.service" "$work/units/orderprocessor-worker@8082.service"
  sed -i 's|/opt/orderprocessor/bin/[a-z]*|/bin/true|' "$work"/units/*.service
  # Remarks on other units are about this machine.
  systemd-analyze verify "$work"/units/*.target "$work"/units/*-api.service "$work"/units/*@8082.service >"$work/out" 2>&1 || true
  ! grep orderprocessor "$work/out" >"$work/remarks" || fail "systemd: $(cat "$work/remarks")"
  for unit in orderprocessor-api orderprocessor-worker@8082; do
    # From 0 to 100: how much of the machine the service may reach.
    check "$unit" systemd-analyze security --offline=true --threshold=20 "$work/units/$unit.service"
  done
}

# Docker's own checks need its daemon, and the images a registry.
containers() {
  local image stage source setting
  for image in $(sed -n 's/^FROM \([^ ]*\).*/\1/p' deploy/Dockerfile; sed -n 's/^ *image: //p' docker-compose.yml); do
    [[ $image == *:* && $image != *:latest ]] || fail "the image $image has no version"
  done
  for image in api worker orderctl; do
    stage=$(sed -n "/^FROM .* AS $image\$/,/^\$/p" deploy/Dockerfile)
    for setting in "COPY --from=build /out/$image /$image" 'USER nonroot:nonroot' "ENTRYPOINT [\"/$image\"]"; do
      grep -qxF "$setting" <<<"$stage" || fail "the stage $image of the Dockerfile lacks: $setting"
    done
    grep -q "^RUN go build .*\./cmd/$image\b" deploy/Dockerfile || fail "the Dockerfile does not build $image"
    grep -q "^      target: $image\$" docker-compose.yml || fail "docker-compose.yml does not run $image"
  done
  grep -qx 'ENV CGO_ENABLED=0' deploy/Dockerfile || fail "the Dockerfile builds with cgo"
  for source in $(sed -n 's/^COPY \([^-].*\) [^ ]*/\1/p' deploy/Dockerfile); do
    { [ -e "$source" ] && grep -qx "!$source" .dockerignore; } || fail "the build does not see $source"
  done
  for setting in 'appendonly yes' 'appendfsync everysec' 'no-appendfsync-on-rewrite no' 'maxmemory-policy noeviction' 'maxmemory [1-9].*'; do
    grep -qx "$setting" deploy/redis.conf || fail "redis.conf lacks: $setting"
  done
  # These differ from machine to machine, and are given where Redis is started.
  setting=$(grep -E '^(dir|bind|protected-mode) ' deploy/redis.conf) && fail "redis.conf has: $setting"
  grep -qF 'command: [redis-server, /etc/redis/redis.conf, --dir, /data, --bind, "*", "-::*", --protected-mode, "no"]' docker-compose.yml ||
    fail "docker-compose.yml starts Redis without its folder, its addresses or its protected mode"
}

# The user of the programs may use the commands that redis-users.acl gives a reason for, and
# no others; those include what the Lua scripts call.
users() {
  local acl=deploy/redis-users.acl
  sed -n 's/^user orders .* -@all //p' $acl | tr -d + | tr ' ' '\n' | sort -u >"$work/granted"
  awk -F '  +' '/^#   [^ ]/ && NF == 3 { print $3 }' $acl | tr ' ' '\n' | sort -u >"$work/needed"
  check "redis-users.acl grants (-) and gives reasons for (+)" diff "$work/granted" "$work/needed"
  grep -rohE "redis\.p?call\( *['\"][A-Za-z]+" --include='*.lua' internal | sed "s/.*['\"]//" | tr A-Z a-z | sort -u >"$work/called"
  check "redis-users.acl does not grant what scripts call" diff /dev/null <(comm -23 "$work/called" "$work/granted")
  grep -q '^user orders on #SHA256_OF_THE_PASSWORD resetkeys resetchannels ~orders:\* ~asynq:\* ~rate:\* &asynq:\* -@all ' $acl ||
    fail "redis-users.acl gives the user orders other keys, channels or passwords"
  grep -qx 'user default on nopass resetkeys resetchannels -@all +ping' $acl || fail "redis-users.acl lets strangers do more than ping"
  [ "$(grep -c '^user ' $acl)" = 2 ] || fail "redis-users.acl has users that it does not explain"
}

if have "the manifests of Kubernetes" jq --version && have "the manifests of Kubernetes" go run "$kustomize" version &&
  have "the manifests of Kubernetes" go run "$validate" --help && have "the manifests of Kubernetes" go run "$score" version &&
  have "the manifests of Kubernetes" go run "$yq" --version; then
  kubernetes
fi
if have "the rules of Prometheus" promtool --version && have "the rules of Prometheus" jq --version &&
  have "the rules of Prometheus" go run "$yq" --version; then
  prometheus
fi
if have "the units of systemd" systemd-analyze --version; then
  units
fi
containers
users
go test -count 1 ./deploy || failed=1
exit "$failed"
