package deploy_test

import (
	"strings"
	"testing"
)

const (
	inCompose    = "docker-compose.yml"
	inDockerfile = "deploy/Dockerfile"
	inRedisConf  = "deploy/redis.conf"
	inIgnore     = ".dockerignore"
	inUsers      = "deploy/redis-users.acl"
)

// flaw breaks one rule in one file of the good repository.
type flaw struct{ check, file, old, broken string }

func flaws() map[string]flaw {
	return map[string]flaw{
		"no worker":                      {"services", inCompose, "  worker:", "  labourer:"},
		"unknown variable":               {"names", inCompose, "ORDERS_MAX_ITEMS", "ORDERS_MAXITEMS"},
		"unknown variable in a list":     {"names", inCompose, "ORDERS_SHUTDOWN_TIMEOUT", "ORDERS_STOP_TIMEOUT"},
		"other name for Redis":           {"names", inCompose, "REDIS_URL: ", "REDIS_ADDR: "},
		"unknown variable in the image":  {"names", inDockerfile, "ENV CGO_ENABLED=0", "ENV CGO_ENABLED=0 ORDERS_X=1"},
		"value out of range":             {"values", inCompose, "${ITEMS:-}", "${ITEMS:-0}"},
		"open without saying so":         {"values", inCompose, ":-true}", ":-false}"},
		"keys do not reach the API":      {"access", inCompose, `"${ORDERS_API_KEYS:-}"`, `""`},
		"no rate limit":                  {"access", inCompose, "      ORDERS_RATE_LIMIT: \"${ORDERS_RATE_LIMIT:-}\"\n", ""},
		"always open":                    {"access", inCompose, `"${ORDERS_INSECURE:-true}"`, `"true"`},
		"bad worker value":               {"values", inCompose, "ORDERS_SHUTDOWN_TIMEOUT=35s", "ORDERS_SHUTDOWN_TIMEOUT=35"},
		"bad value in the image":         {"values", inDockerfile, "USER nonroot\n", "ENV ORDERS_LOG_LEVEL=loud\nUSER nonroot\n"},
		"killed too early":               {"grace", inCompose, "stop_grace_period: 45s", "stop_grace_period: 35s"},
		"slow to stop":                   {"grace", inCompose, "ORDERS_SHUTDOWN_TIMEOUT=35s", "ORDERS_SHUTDOWN_TIMEOUT=45s"},
		"Docker's own grace":             {"grace", inCompose, "    stop_grace_period: 45s\n", ""},
		"port on all interfaces":         {"ports", inCompose, "127.0.0.1:8080:8080", "8080:8080"},
		"port on a wildcard":             {"ports", inCompose, "127.0.0.1:8080:8080", "0.0.0.0:8080:8080"},
		"random port":                    {"ports", inCompose, "[127.0.0.1:8080:8080]", "[8080]"},
		"port in long form":              {"ports", inCompose, "[127.0.0.1:8080:8080]", "[{target: 8080, published: 8080}]"},
		"admin address on loopback":      {"admin", inCompose, "0.0.0.0:8081", "127.0.0.1:8081"},
		"admin address moved":            {"admin", inCompose, "0.0.0.0:8082", "0.0.0.0:8083"},
		"admin address published":        {"admin", inCompose, "[127.0.0.1:8080:8080]", "[127.0.0.1:8080:8080, 127.0.0.1:9999:8081]"},
		"admin published in long form":   {"admin", inCompose, "[127.0.0.1:8080:8080]", "[{target: 8081, published: 8080}]"},
		"monitoring always on":           {"extras", inCompose, "    profiles: [monitoring]\n", ""},
		"worker on demand":               {"extras", inCompose, "    ports: []", "    ports: []\n    profiles: [x]"},
		"worker has a name":              {"scalable", inCompose, "    ports: []", "    container_name: worker"},
		"worker has a port":              {"scalable", inCompose, "    ports: []", "    ports: [127.0.0.1:9090:9090]"},
		"redis without healthcheck":      {"health", inCompose, "    healthcheck: {test: [CMD, redis-cli, ping]}\n", ""},
		"api without healthcheck":        {"health", inCompose, "healthcheck: {test: [CMD, /api, -health]}", "init: false"},
		"healthcheck needs a shell":      {"health", inCompose, "[CMD, /worker, -health]", "[CMD-SHELL, /worker -health]"},
		"healthcheck of another":         {"health", inCompose, "[CMD, /worker, -health]", "[CMD, /api, -health]"},
		"does not wait":                  {"dependences", inCompose, "depends_on: {redis: {condition: service_healthy}}", "depends_on: {}"},
		"waits for the start only":       {"dependences", inCompose, "service_healthy", "service_started"},
		"a command that waits":           {"dependences", inCompose, "profiles: [tools]\n", "profiles: [tools]\n    depends_on: {redis: {condition: service_healthy}}\n"},
		"a tool for another Redis":       {"tool", inCompose, "{REDIS_URL: redis://redis/0", "{REDIS_URL: redis://valkey/0"},
		"a tool without the API":         {"tool", inCompose, "ORDERCTL_API: ", "ORDERCTL_URL: "},
		"traces of one program alone":    {"traces", inCompose, "      - \"OTEL_TRACES_SAMPLER=${OTEL_TRACES_SAMPLER:-}\"\n", ""},
		"traces without being asked":     {"traces", inCompose, "${OTEL_EXPORTER_OTLP_ENDPOINT:-}", "${OTEL_EXPORTER_OTLP_ENDPOINT:-http://localhost}"},
		"writable image":                 {"hardening", inCompose, "read_only: true", "read_only: false"},
		"capabilities":                   {"hardening", inCompose, "cap_drop: [ALL]", "cap_drop: [NET_RAW]"},
		"privileges":                     {"hardening", inCompose, `["no-new-privileges:true"]`, "[]"},
		"mounted file missing":           {"mounts", inCompose, "./deploy/redis.conf", "./redis.conf"},
		"Dockerfile missing":             {"targets", inCompose, "dockerfile: deploy/Dockerfile, target: api", "dockerfile: Dockerfile, target: api"},
		"target missing":                 {"targets", inCompose, "target: worker", "target: workers"},
		"stage missing":                  {"targets", inDockerfile, "AS api", "AS web"},
		"source missing":                 {"sources", inDockerfile, "COPY go.mod ./", "COPY go.mod go.sum ./"},
		"source kept out":                {"sources", inIgnore, "!go.mod\n", ""},
		"stage to copy from missing":     {"sources", inDockerfile, "--from=build", "--from=builder"},
		"command missing":                {"commands", inDockerfile, "./cmd/worker", "./cmd/workers"},
		"cgo left on":                    {"static", inDockerfile, "ENV CGO_ENABLED=0\n", ""},
		"cgo turned on":                  {"static", inDockerfile, "CGO_ENABLED=0", "CGO_ENABLED=1"},
		"nothing built":                  {"static", inDockerfile, "RUN go build", "RUN echo"},
		"root by default":                {"user", inDockerfile, "USER nonroot\n", ""},
		"root by name":                   {"user", inDockerfile, "USER nonroot:nonroot", "USER root:nonroot"},
		"root by number":                 {"user", inDockerfile, "USER nonroot:nonroot", "USER nonroot\nUSER 0"},
		"entrypoint in shell form":       {"entrypoint", inDockerfile, `["/api"]`, "/api"},
		"entrypoint missing":             {"entrypoint", inDockerfile, `ENTRYPOINT ["/api"]`, ""},
		"entrypoint of another":          {"entrypoint", inDockerfile, `["/worker"]`, `["/api"]`},
		"image without tag":              {"pinned", inCompose, "redis:7.4", "redis"},
		"latest image":                   {"pinned", inCompose, "redis:7.4", "redis:latest"},
		"image of a registry with port":  {"pinned", inCompose, "redis:7.4", "registry:5000/redis"},
		"base without tag":               {"pinned", inDockerfile, "golang:1.26", "golang"},
		"latest base":                    {"pinned", inDockerfile, "scratch:1 AS api", "scratch:latest AS api"},
		"no append-only file":            {"redis", inRedisConf, "appendonly yes", "appendonly no"},
		"append-only file not mentioned": {"redis", inRedisConf, "appendonly yes", "# appendonly yes"},
		"eviction":                       {"redis", inRedisConf, "noeviction", "allkeys-lru"},
		"never synced":                   {"redis", inRedisConf, "everysec", "no"},
		"not synced while rewriting":     {"redis", inRedisConf, "rewrite no", "rewrite yes"},
		"memory without bound":           {"redis", inRedisConf, "maxmemory 1gb", "maxmemory 0"},
		"command without a reason":       {"users", inUsers, "+get +hset", "+get +hset +del"},
		"command not granted":            {"users", inUsers, "+get +hset", "+get"},
		"command of a script":            {"users", "internal/queue/scripts/a.lua", "HSET", "HDEL"},
		"all commands":                   {"users", inUsers, "-@all +get", "+@all +get"},
		"all keys":                       {"users", inUsers, "~rate:*", "~rate:* ~*"},
		"no channel":                     {"users", inUsers, "&asynq:* ", ""},
		"password in the file":           {"users", inUsers, "#SHA256_OF_THE_PASSWORD", ">secret"},
		"anybody may read":               {"users", inUsers, "-@all +ping", "-@all +ping +get"},
		"another user":                   {"users", inUsers, "user default", "user a on nopass +@all\nuser default"},
		"data of a container":            {"place", inRedisConf, "appendonly yes", "appendonly yes\ndir /data"},
		"open on every machine":          {"place", inRedisConf, "appendonly yes", "appendonly yes\nprotected-mode no"},
		"data outside the volume":        {"place", inCompose, "--dir, /data", "--dir, /tmp"},
		"volume elsewhere":               {"place", inCompose, "data:/data", "data:/var"},
		"closed to the programs":         {"place", inCompose, `--protected-mode, "no"`, `--protected-mode, "yes"`},
	}
}

// TestEveryRuleIsHeld breaks the good repository in one place at a time.
func TestEveryRuleIsHeld(t *testing.T) {
	t.Parallel()
	held := map[string]bool{}
	for name, f := range flaws() {
		held[f.check] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := good()
			if !strings.Contains(files[f.file], f.old) {
				t.Fatalf("%s has no %q to break", f.file, f.old)
			}
			files[f.file] = strings.Replace(files[f.file], f.old, f.broken, 1)
			if found := checks()[f.check](parse(t, files)); len(found) == 0 {
				t.Errorf("the check of %s does not notice", f.check)
			}
		})
	}
	for name := range checks() {
		if !held[name] {
			t.Errorf("nothing breaks the check of %s", name)
		}
	}
}
