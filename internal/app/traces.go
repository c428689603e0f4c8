package app

import (
	"context"
	"time"

	"orderprocessor/internal/traces"
)

// The names of the programs in traces.
const (
	serviceAPI    = "orderprocessor-api"
	serviceWorker = "orderprocessor-worker"
)

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
