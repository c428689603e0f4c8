package traces

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// flaky is an exporter that fails with an error, if there is one.
type flaky struct {
	sdktrace.SpanExporter
	err error
}

func (f *flaky) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return f.err }

// TestCollectorAwayIsLoggedOnce checks that lost spans are logged once, and the end of the
// loss once, however many exports fail.
func TestCollectorAwayIsLoggedOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := &flaky{}
	p := &exporter{SpanExporter: f, log: slog.New(slog.NewTextHandler(&log, nil))}
	export := func(err error, times int) string {
		log.Reset()
		f.err = err
		for range times {
			if err := p.ExportSpans(t.Context(), make([]sdktrace.ReadOnlySpan, 2)); err != nil {
				t.Errorf("ExportSpans returned %v", err)
			}
		}
		return log.String()
	}
	if text := export(nil, 3); text != "" {
		t.Errorf("it logs %s", text)
	}
	for round := range 2 {
		text := export(errors.New("refused\nby all"), 50)
		if strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, `error="refused by all"`) {
			t.Errorf("round %d: it logs %s", round, text)
		}
		text = export(nil, 3)
		if strings.Count(text, "level=INFO") != 1 || !strings.Contains(text, "spans_lost=100") {
			t.Errorf("round %d: it logs %s", round, text)
		}
	}
}
