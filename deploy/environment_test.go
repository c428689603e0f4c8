package deploy_test

import "strings"

// checkAccess wants what keeps strangers out to come from the operator: a key
// that is set in the shell and does not reach the API would leave it open.
func checkAccess(d documents) []string {
	var found sentences
	for _, name := range []string{"ORDERS_API_KEYS", "ORDERS_RATE_LIMIT", "ORDERS_RATE_BURST", "ORDERS_INSECURE"} {
		if value := d.compose.Services["api"].Environment[name]; !strings.HasPrefix(value, "${"+name+":-") {
			found.add("service api has %q for %s, not that of the shell", value, name)
		}
	}
	return found
}

// checkTool wants orderctl to find what the programs find: the same Redis, and the
// API by its name.
func checkTool(d documents) []string {
	var found sentences
	tool, api := d.compose.Services["orderctl"], d.compose.Services["api"]
	for name, want := range map[string]string{
		"REDIS_URL": api.Environment["REDIS_URL"], "ORDERCTL_API": "http://api:8080", "ORDERCTL_API_KEY": "${ORDERCTL_API_KEY:-}",
	} {
		if got := tool.Environment[name]; got != want {
			found.add("service orderctl has %q for %s, not %q", got, name, want)
		}
	}
	return found
}

// checkTraces wants the variables of traces to come from the shell, and to be unset
// as long as nobody sets them there.
func checkTraces(d documents) []string {
	var found sentences
	for _, program := range []string{"api", "worker"} {
		for _, name := range []string{
			"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG",
		} {
			if got := d.compose.Services[program].Environment[name]; got != "${"+name+":-}" {
				found.add("service %s has %q for %s", program, got, name)
			}
		}
	}
	return found
}
