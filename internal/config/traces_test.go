package config_test

import (
	"slices"
	"strings"
	"testing"

	"orderprocessor/internal/config"
)

// TestTracesAreAskedFor says when the variables of OpenTelemetry ask for traces.
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
		// What nobody reads is nobody's mistake.
		{"OTEL_TRACES_SAMPLER=sometimes OTEL_BSP_MAX_QUEUE_SIZE=x", false},
	}
	for _, row := range rows {
		environ := strings.Fields(row.environ)
		a, w, err := config.LoadAll(environ)
		if err != nil || a.Traces != row.want || w.Traces != row.want {
			t.Errorf("%q: %v, %v, %v", row.environ, a.Traces, w.Traces, err)
		}
		if one, err := config.LoadAPI(environ); err != nil || one.Traces != row.want {
			t.Errorf("%q: API %v, %v", row.environ, one.Traces, err)
		}
		if one, err := config.LoadWorker(environ); err != nil || one.Traces != row.want {
			t.Errorf("%q: worker %v, %v", row.environ, one.Traces, err)
		}
	}
}

// TestTracesValues holds what OpenTelemetry would pass over in silence, and that no
// value is shown.
func TestTracesValues(t *testing.T) {
	t.Parallel()
	for _, b := range []bound{
		{"OTEL_SDK_DISABLED", []string{"False"}, []string{"yes", "0"}},
		{"OTEL_TRACES_EXPORTER", []string{"otlp", "console"}, []string{"zipkin", "otlp,console", "logging"}},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", []string{"grpc", "http/protobuf"}, []string{"http/json", "http"}},
		{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", []string{"grpc", "http/protobuf"}, []string{"http/json"}},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", []string{"http://c", "https://[::1]:4317/x"}, []string{"c:4318", "/v1", "ftp://c", "http://", "http://c x", "http://c:x"}},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", []string{"http://c:4318"}, []string{"localhost:4317"}},
		{"OTEL_TRACES_SAMPLER", []string{"always_on", "parentbased_traceidratio"}, []string{"ratio", "jaeger_remote"}},
		{"OTEL_TRACES_SAMPLER_ARG", []string{"0", "1", "0.05", "1e-3"}, []string{"-0.1", "1.1", "5%", "NaN"}},
		{"OTEL_BSP_MAX_QUEUE_SIZE", []string{"1", "1000000"}, []string{"0", "1000001", "1e3", "-1"}},
		{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", []string{"1"}, []string{"0", "many"}},
		{"OTEL_BSP_SCHEDULE_DELAY", []string{"1", "3600000"}, []string{"0", "3600001", "5s"}},
		{"OTEL_BSP_EXPORT_TIMEOUT", []string{"30000"}, []string{"0", "30s"}},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", []string{"10000"}, []string{"10s"}},
		{"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", []string{"10000"}, []string{"-1"}},
	} {
		environ := []string{"OTEL_TRACES_EXPORTER=otlp"}
		for _, good := range b.good {
			if _, err := config.LoadWorker(append(slices.Clone(environ), b.name+"="+good)); err != nil {
				t.Errorf("%s=%q: %v", b.name, good, err)
			}
		}
		for _, bad := range b.bad {
			for name, load := range map[string]func([]string) error{
				"API":    func(e []string) error { _, err := config.LoadAPI(e); return err },
				"worker": func(e []string) error { _, err := config.LoadWorker(e); return err },
			} {
				err := load(append(slices.Clone(environ), b.name+"="+bad))
				if err == nil || strings.Count(err.Error(), "\n") != 1 || !strings.Contains(err.Error(), b.name+" must be ") {
					t.Errorf("%s: %s=%q: %v", name, b.name, bad, err)
				}
			}
		}
	}
	secret := "http://user:hunter2@c d"
	if _, err := config.LoadAPI([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + secret}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the value is shown: %v", err)
	}
}
