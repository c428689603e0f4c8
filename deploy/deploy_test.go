// Package deploy_test checks the files from which the service is built and run
// in containers: that they fit each other, the configuration that the programs
// accept, and what the guarantees rest on. It needs no Docker.
package deploy_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestOurFilesKeepEveryRule(t *testing.T) {
	t.Parallel()
	d, err := readDocuments(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	for name, look := range checks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, sentence := range look(d) {
				t.Error(sentence)
			}
		})
	}
}

// good is a small repository that keeps every rule.
func good() map[string]string {
	return map[string]string{
		"docker-compose.yml": `
services:
  redis:
    image: redis:7.4
    command: [redis-server, /redis.conf, --dir, /data, --bind, "*", "-::*", --protected-mode, "no"]
    volumes: [./deploy/redis.conf:/redis.conf:ro, data:/data]
    healthcheck: {test: [CMD, redis-cli, ping]}
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
  api: &api
    build: {context: ., dockerfile: deploy/Dockerfile, target: api}
    environment:
      OTEL_EXPORTER_OTLP_ENDPOINT: "${OTEL_EXPORTER_OTLP_ENDPOINT:-}"
      OTEL_EXPORTER_OTLP_HEADERS: "${OTEL_EXPORTER_OTLP_HEADERS:-}"
      OTEL_TRACES_EXPORTER: "${OTEL_TRACES_EXPORTER:-}"
      OTEL_TRACES_SAMPLER: "${OTEL_TRACES_SAMPLER:-}"
      OTEL_TRACES_SAMPLER_ARG: "${OTEL_TRACES_SAMPLER_ARG:-}"
      REDIS_URL: "redis://redis/0"
      ORDERS_MAX_ITEMS: "${ITEMS:-}"
      ORDERS_HTTP_ADDR: 0.0.0.0:8080
      ORDERS_ADMIN_ADDR: 0.0.0.0:8081
      ORDERS_API_KEYS: "${ORDERS_API_KEYS:-}"
      ORDERS_RATE_LIMIT: "${ORDERS_RATE_LIMIT:-}"
      ORDERS_RATE_BURST: "${ORDERS_RATE_BURST:-}"
      ORDERS_INSECURE: "${ORDERS_INSECURE:-true}"
    ports: [127.0.0.1:8080:8080]
    depends_on: {redis: {condition: service_healthy}}
    healthcheck: {test: [CMD, /api, -health]}
    stop_grace_period: 45s
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
  worker:
    <<: *api
    build: {context: ., dockerfile: deploy/Dockerfile, target: worker}
    environment:
      - REDIS_URL=redis://redis/0
      - ORDERS_SHUTDOWN_TIMEOUT=35s
      - ORDERS_ADMIN_ADDR=0.0.0.0:8082
      - "OTEL_EXPORTER_OTLP_ENDPOINT=${OTEL_EXPORTER_OTLP_ENDPOINT:-}"
      - "OTEL_EXPORTER_OTLP_HEADERS=${OTEL_EXPORTER_OTLP_HEADERS:-}"
      - "OTEL_TRACES_EXPORTER=${OTEL_TRACES_EXPORTER:-}"
      - "OTEL_TRACES_SAMPLER=${OTEL_TRACES_SAMPLER:-}"
      - "OTEL_TRACES_SAMPLER_ARG=${OTEL_TRACES_SAMPLER_ARG:-}"
    ports: []
    healthcheck: {test: [CMD, /worker, -health]}
  orderctl:
    profiles: [tools]
    build: {context: ., dockerfile: deploy/Dockerfile, target: orderctl}
    environment: {REDIS_URL: redis://redis/0, ORDERCTL_API: "http://api:8080", ORDERCTL_API_KEY: "${ORDERCTL_API_KEY:-}"}
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
  prometheus:
    image: prometheus:3
    profiles: [monitoring]
    healthcheck: {test: [CMD, wget, /]}
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
`,
		"deploy/Dockerfile": `
FROM golang:1.26 AS build
ENV CGO_ENABLED=0
COPY go.mod ./
COPY cmd cmd
RUN go build -o /out/ \
    ./cmd/api ./cmd/worker ./cmd/orderctl
FROM scratch:1 AS api
COPY --from=build /out/api /api
USER nonroot
ENTRYPOINT ["/api"]
FROM scratch:1 AS worker
COPY --from=build /out/worker /worker
USER nonroot:nonroot
ENTRYPOINT ["/worker"]
FROM scratch:1 AS orderctl
COPY --from=build /out/orderctl /orderctl
USER nonroot:nonroot
ENTRYPOINT ["/orderctl"]
`,
		"deploy/redis.conf": `
# comment
appendonly yes
appendfsync everysec
no-appendfsync-on-rewrite no
maxmemory 1gb
maxmemory-policy noeviction
`,
		"deploy/redis-users.acl": `
#   books    hset get
#   asynq    get
user default on nopass resetkeys resetchannels -@all +ping
user orders on #SHA256_OF_THE_PASSWORD resetkeys resetchannels ~orders:* ~asynq:* ~rate:* &asynq:* -@all +get +hset
`,
		"internal/queue/scripts/a.lua": "redis.call('HSET', KEYS[1], redis.pcall(\"get\", KEYS[2]))\n",
		".dockerignore":                "*\n!go.mod\n!cmd\n",
		"go.mod":                       "module orderprocessor\n",
		"cmd/api/main.go":              "package main\n",
		"cmd/worker/main.go":           "package main\n",
		"cmd/orderctl/main.go":         "package main\n",
	}
}

func parse(t *testing.T, files map[string]string) documents {
	t.Helper()
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	d, err := readDocuments(root)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAGoodRepositoryPasses(t *testing.T) {
	t.Parallel()
	d := parse(t, good())
	for name, look := range checks() {
		if found := look(d); len(found) > 0 {
			t.Errorf("%s: %s", name, strings.Join(found, "; "))
		}
	}
}
