package kubernetes_test

import (
	"strings"
	"testing"
)

// flaw breaks one rule in one place of a good rendering.
type flaw struct{ check, old, broken string }

func flaws() map[string]flaw {
	return map[string]flaw{
		"unknown variable":            {"values", "ORDERS_RETENTION:", "ORDERS_RETENTIONS:"},
		"value out of range":          {"values", `ORDERS_MAX_ATTEMPTS: "8"`, `ORDERS_MAX_ATTEMPTS: "0"`},
		"open without keys":           {"values", "ORDERS_API_KEYS_FILE: /etc/orderprocessor/keys", `ORDERS_API_KEYS_FILE: ""`},
		"a shop that is no URL":       {"values", "https://shop.example.com/orders", "shop.example.com"},
		"admin on loopback":           {"probes", "ORDERS_ADMIN_ADDR: 0.0.0.0:8081", "ORDERS_ADMIN_ADDR: 127.0.0.1:8081"},
		"admin on another port":       {"probes", "containerPort: 8082", "containerPort: 8083"},
		"alive only with Redis":       {"probes", "path: /livez", "path: /readyz"},
		"ready before it is":          {"probes", "path: /readyz", "path: /livez"},
		"asked on another port":       {"probes", "port: admin", "port: http"},
		"root":                        {"restricted", "runAsNonRoot: true", "runAsNonRoot: false"},
		"user by name only":           {"restricted", "        runAsUser: 65532\n", ""},
		"whole kernel":                {"restricted", "type: RuntimeDefault", "type: Unconfined"},
		"writable root":               {"restricted", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"},
		"escalation":                  {"restricted", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"},
		"capabilities":                {"restricted", "- ALL", "- NET_RAW"},
		"variables for services":      {"links", "      enableServiceLinks: false\n", ""},
		"token":                       {"links", "automountServiceAccountToken: false", "automountServiceAccountToken: true"},
		"killed too early":            {"grace", "terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: 40"},
		"slow to stop":                {"grace", "ORDERS_SHUTDOWN_TIMEOUT: 35s", "ORDERS_SHUTDOWN_TIMEOUT: 1m"},
		"no sleep":                    {"grace", "seconds: 5\n", "seconds: 0\n"},
		"pods taken away first":       {"updates", "maxUnavailable: 0", "maxUnavailable: 1"},
		"no bound of memory":          {"memory", "          limits:\n            memory: 512Mi\n", ""},
		"collects too late":           {"memory", "460MiB", "500MiB"},
		"collects never":              {"memory", "GOMEMLIMIT", "GOMEMLIMITS"},
		"spread of others":            {"spread", "labelSelector:\n          matchLabels:\n            app.kubernetes.io/component: api", "labelSelector:\n          matchLabels:\n            app.kubernetes.io/component: worker"},
		"budget for nobody":           {"budgets", "  maxUnavailable: 1\n  selector:\n    matchLabels:\n      app.kubernetes.io/component: api", "  maxUnavailable: 1\n  selector:\n    matchLabels:\n      app.kubernetes.io/component: web"},
		"budget of nothing":           {"budgets", "  maxUnavailable: 1\n  selector", "  maxUnavailable: 0\n  selector"},
		"service for nobody":          {"services", "  selector:\n    app.kubernetes.io/component: api", "  selector:\n    app.kubernetes.io/component: web"},
		"service on a missing port":   {"services", "targetPort: http", "targetPort: https"},
		"image without version":       {"images", "orderprocessor-api:1.0.0", "orderprocessor-api"},
		"latest image":                {"images", "orderprocessor-worker:1.0.0", "orderprocessor-worker:latest"},
		"password of Redis":           {"secrets", "ORDERS_RETENTION: 24h", "REDIS_URL: redis://:password@redis/0"},
		"a Secret with a value":       {"secrets", "kind: ConfigMap", "kind: Secret"},
		"Secret that nobody makes":    {"references", "name: orderprocessor-redis\n", "name: orderprocessor-valkey\n"},
		"key that nobody makes":       {"references", "key: secret\n", "key: secrets\n"},
		"ConfigMap that is not there": {"references", "configMapRef:\n            name: orderprocessor-", "configMapRef:\n            name: orders-"},
		"keys mounted elsewhere":      {"references", "mountPath: /etc/orderprocessor", "mountPath: /etc/orders"},
		"deny lets out":               {"denied", "  - Ingress\n  - Egress\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  labels:\n    app.kubernetes.io/part-of: orderprocessor\n  name: orderprocessor-fulfilment", "  - Ingress\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  labels:\n    app.kubernetes.io/part-of: orderprocessor\n  name: orderprocessor-fulfilment"},
		"policy for nobody":           {"policies", "  podSelector:\n    matchLabels:\n      app.kubernetes.io/component: api", "  podSelector:\n    matchLabels:\n      app.kubernetes.io/component: web"},
		"policy for a missing port":   {"policies", "port: http\n      protocol", "port: https\n      protocol"},
		"anybody sends requests":      {"strangers", "    - namespaceSelector:\n        matchLabels:\n          orderprocessor-clients: \"true\"", "    - namespaceSelector: {}"},
		"the shop for the API too":    {"strangers", "port: 6379", "port: 443"},
		"no names":                    {"strangers", "port: 53\n      protocol: UDP\n    - port: 53", "port: 54\n      protocol: UDP\n    - port: 54"},
		"replicas beside a scaler":    {"scaled", "spec:\n  selector:\n    matchLabels:\n      app.kubernetes.io/component: worker\n      app.kubernetes.io/name: orderprocessor\n  strategy", "spec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app.kubernetes.io/component: worker\n      app.kubernetes.io/name: orderprocessor\n  strategy"},
		"two scalers":                 {"scaled", "    name: orderprocessor-api\n---\napiVersion: keda", "    name: orderprocessor-worker\n---\napiVersion: keda"},
		"scaled to nothing":           {"scaled", "minReplicaCount: 2", "minReplicaCount: 0"},
		"another namespace":           {"scaled", "orderprocessor-api.orderprocessor/stats", "orderprocessor-api.default/stats"},
		"batches too large":           {"ingress", "proxy-body-size: 17m", "proxy-body-size: 1m"},
		"events held back":            {"ingress", `proxy-buffering: "off"`, `proxy-buffering: "on"`},
		"events cut off":              {"ingress", `proxy-read-timeout: "60"`, `proxy-read-timeout: "10"`},
		"a queue left out":            {"scaled", "queues.low.", "queues.slow."},
	}
}

// TestEveryRuleIsHeld breaks the production overlay in one place at a time.
func TestEveryRuleIsHeld(t *testing.T) {
	t.Parallel()
	good := render(t, "overlays/production")
	held := map[string]bool{}
	for name, f := range flaws() {
		held[f.check] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(good, f.old) {
				t.Fatalf("the rendering has no %q to break", f.old)
			}
			broken := strings.Replace(good, f.old, f.broken, 1)
			if found := checks()[f.check](parse(t, broken)); len(found) == 0 {
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
