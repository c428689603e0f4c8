package app

import (
	"context"
	"os"
	"strings"
	"time"

	"orderprocessor/internal/config"
	"orderprocessor/internal/traces"
)

// The names of the programs in traces.
const (
	serviceAPI    = "orderprocessor-api"
	serviceWorker = "orderprocessor-worker"
)

// TrimTraces changes, for the whole process, the variables of OpenTelemetry that have
// white space at their ends, so that they are read as the settings are: OpenTelemetry
// reads the environment itself, and some of them with that white space. A main calls it
// with its environment before anything else.
func TrimTraces(environ []string) {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if trimmed := config.Trimmed(value); trimmed != value && strings.HasPrefix(name, "OTEL_") {
			_ = os.Setenv(name, trimmed)
		}
	}
}

// openTraces sets up what makes spans, if the configuration asks for traces and
// nobody has brought a provider.
func (p *program) openTraces(service, instance string) error {
	if p.Traces != nil || !p.common.Traces {
		return nil
	}
	provider, err := traces.New(context.Background(), traces.Config{Service: service, Instance: instance, Log: p.Log})
	if err != nil {
		return err
	}
	p.Traces, p.spans = provider, provider
	return nil
}

// sendTraces sends spans until the returned function is called, which sends those
// that are left.
func (p *program) sendTraces() (stop func()) {
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
