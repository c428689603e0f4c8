package app_test

import (
	"io"
	"os"
	"testing"

	"orderprocessor/internal/app"
)

// TestWhiteSpaceAroundTheVariablesOfOpenTelemetry holds that it does not belong to the
// values, of which OpenTelemetry itself would not know some.
func TestWhiteSpaceAroundTheVariablesOfOpenTelemetry(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", " console\r\n")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc\n")
	app.TrimTraces(os.Environ())
	newAPI(t, io.Discard, append(environ("redis://127.0.0.1:1/0"), os.Environ()...)) // reads them
	if got := os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"); got != "grpc" {
		t.Errorf("the protocol is %q", got)
	}
}
