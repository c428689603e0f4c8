package traces_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"orderprocessor/internal/order"
	"orderprocessor/internal/traces"
)

// ledger answers everything with an error, if there is one.
type ledger struct{ err error }

func (l ledger) Begin(context.Context, order.Claim) (order.Begun, error) {
	return order.Begun{Number: 3, Try: 1}, l.err
}

func (l ledger) Fail(context.Context, order.Claim, order.Failure) error { return l.err }

func (l ledger) Settle(context.Context, order.Claim, order.Outcome) error { return l.err }

func (l ledger) Hold(context.Context, string, order.Decision) error { return l.err }

// TestSpansShowWhatIsRecorded checks that a span has what the ledger has recorded, and
// nothing that it could not record.
func TestSpansShowWhatIsRecorded(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	begin := func(h order.Handling) func(context.Context, *traces.Ledger) error {
		return func(ctx context.Context, l *traces.Ledger) error {
			_, err := l.Begin(ctx, order.Claim{Handling: h})
			return err
		}
	}
	fail := func(ctx context.Context, l *traces.Ledger) error { return l.Fail(ctx, order.Claim{}, order.Failure{}) }
	hold := func(ctx context.Context, l *traces.Ledger) error { return l.Hold(ctx, "", order.Decision{}) }
	settle := func(ctx context.Context, l *traces.Ledger) error {
		return l.Settle(ctx, order.Claim{}, order.Outcome{Status: order.StatusRejected})
	}
	rows := []struct {
		name string
		err  error
		do   func(ctx context.Context, l *traces.Ledger) error
		want string
	}{
		{"begin", nil, begin(order.HandlingPriority), "order.attempt=3 order.handling=priority"},
		{"begin an order that the rules reject", nil, begin(""), "order.attempt=3"},
		{"not begun", away, begin(order.HandlingPriority), ""},
		{"fail", nil, fail, "order.status=retrying"},
		{"not failed", away, fail, ""},
		{"hold", nil, hold, "order.status=held"},
		{"settle", nil, settle, "order.status=rejected"},
		{"not settled", away, settle, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ended := tracetest.NewSpanRecorder()
			ctx, span := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ended)).Tracer("").Start(t.Context(), "attempt")
			if err := row.do(ctx, traces.NewLedger(ledger{row.err})); !errors.Is(err, row.err) {
				t.Errorf("the error is %v", err)
			}
			span.End()
			var attributes []string
			for _, a := range ended.Ended()[0].Attributes() {
				attributes = append(attributes, string(a.Key)+"="+a.Value.String())
			}
			if diff := cmp.Diff(row.want, strings.Join(attributes, " ")); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFailIsBounded marks a span, in one short line.
func TestFailIsBounded(t *testing.T) {
	t.Parallel()
	ended := tracetest.NewSpanRecorder()
	tracer := traces.Tracer(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ended)))
	for _, err := range []error{nil, errors.New("a\nb" + strings.Repeat("x", 10_000))} {
		_, span := tracer.Start(t.Context(), "x")
		traces.Fail(span, err)
		span.End()
	}
	good, bad := ended.Ended()[0], ended.Ended()[1]
	if good.Status().Code != codes.Unset || len(good.Events()) > 0 {
		t.Errorf("without an error the span has %+v, %+v", good.Status(), good.Events())
	}
	text := bad.Status().Description
	if bad.Status().Code != codes.Error || !strings.HasPrefix(text, "a bx") || len(text) > order.MaxNoteBytes || len(bad.Events()) != 1 {
		t.Errorf("the span has %+v, %d events", bad.Status(), len(bad.Events()))
	}
}

// TestNoProvider makes no spans.
func TestNoProvider(t *testing.T) {
	t.Parallel()
	if traces.Tracer(nil) != nil {
		t.Error("there is a tracer without a provider")
	}
}
