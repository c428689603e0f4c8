package config_test

import (
	"errors"
	"strings"
	"testing"

	"orderprocessor/internal/config"
)

// TestTracesAreAskedFor checks when the variables of OpenTelemetry ask for traces.
func TestTracesAreAskedFor(t *testing.T) {
	t.Parallel()
	rows := []struct {
		environ string
		want    bool
	}{
		{"", false},
		{"OTEL_TRACES_EXPORTER=otlp", true},
		{"OTEL_TRACES_EXPORTER=console", true},
		{"OTEL_TRACES_EXPORTER=none", false},
		{"OTEL_TRACES_EXPORTER=None OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", false},
		{"OTEL_TRACES_EXPORTER= OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", true},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", true},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://c/v1/traces?key=x", true},
		{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://c:4318", false},
		{"OTEL_SERVICE_NAME=x OTEL_TRACES_SAMPLER=always_on", false},
		{"OTEL_SDK_DISABLED=true OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", false},
		{"OTEL_SDK_DISABLED=TRUE OTEL_TRACES_EXPORTER=otlp", false},
		{"OTEL_SDK_DISABLED=false OTEL_TRACES_EXPORTER=otlp", true},
		// Without traces their variables are not checked.
		{"OTEL_TRACES_SAMPLER=sometimes OTEL_BSP_MAX_QUEUE_SIZE=x", false},
	}
	for _, row := range rows {
		environ := strings.Fields(row.environ)
		api, errAPI := config.LoadAPI(environ)
		worker, errWorker := config.LoadWorker(environ)
		bothAPI, bothWorker, errAll := config.LoadAll(environ)
		for _, got := range []bool{api.Traces, worker.Traces, bothAPI.Traces, bothWorker.Traces} {
			if err := errors.Join(errAPI, errWorker, errAll); err != nil || got != row.want {
				t.Errorf("%q: %t, %v", row.environ, got, err)
			}
		}
	}
}
