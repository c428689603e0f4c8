package app

import (
	"context"
	"os"
	"strings"
	"time"

	"orderprocessor/internal/config"
	"orderprocessor/internal/traces"
)

// TrimTraces removes white space around the values of OpenTelemetry's variables, for
// the whole process. OpenTelemetry reads the environment itself and would take white
// space for a part of some values. A main must call it first, with its environment.
func TrimTraces(environ []string) {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if trimmed := config.Trimmed(value); trimmed != value && strings.HasPrefix(name, "OTEL_") {
			_ = os.Setenv(name, trimmed)
		}
	}
}

// openTraces creates a tracer provider if the configuration asks for traces and the
// options have none.
func (p *Program) openTraces(service string) error {
	if p.Traces != nil || !p.common.Traces {
		return nil
	}
	provider, err := traces.New(context.Background(), traces.Config{Service: service, Instance: p.Name(), Log: p.Log})
	if err != nil {
		return err
	}
	p.Traces, p.spans = provider, provider
	return nil
}

// sendTraces sends spans until the returned function is called, which sends the rest.
func (p *Program) sendTraces() (stop func()) {
	if p.spans == nil {
		return func() {}
	}
	p.spans.Start()
	return func() {
		begun := time.Now()
		if err := p.spans.Stop(p.common.ShutdownTimeout); err != nil {
			p.Log.Warn("the last spans were not sent", "waited", time.Since(begun).Round(time.Millisecond), "error", err)
		}
	}
}
