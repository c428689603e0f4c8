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

// books answer everything with an error, if there is one.
type books struct{ err error }

func (b books) Begin(context.Context, order.Claim) (order.Begun, error) {
	return order.Begun{Number: 3, Try: 1}, b.err
}

func (b books) Fail(context.Context, order.Claim, order.Failure) error { return b.err }

func (b books) Settle(context.Context, order.Claim, order.Outcome) error { return b.err }

// TestSpansShowWhatIsRecorded holds that a span has what the ledger has recorded, and
// nothing that it could not record.
func TestSpansShowWhatIsRecorded(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	begin := func(ctx context.Context, a *traces.Ledger, h order.Handling) error {
		_, err := a.Begin(ctx, order.Claim{Handling: h})
		return err
	}
	rows := []struct {
		name string
		err  error
		do   func(ctx context.Context, a *traces.Ledger) error
		want string
	}{
		{"begin", nil, func(ctx context.Context, a *traces.Ledger) error { return begin(ctx, a, order.HandlingPriority) }, "order.attempt=3 order.handling=priority"},
		{"begin an order that the rules reject", nil, func(ctx context.Context, a *traces.Ledger) error { return begin(ctx, a, "") }, "order.attempt=3"},
		{"not begun", away, func(ctx context.Context, a *traces.Ledger) error { return begin(ctx, a, order.HandlingPriority) }, ""},
		{"fail", nil, func(ctx context.Context, a *traces.Ledger) error {
			return a.Fail(ctx, order.Claim{}, order.Failure{})
		}, "order.status=retrying"},
		{"not failed", away, func(ctx context.Context, a *traces.Ledger) error {
			return a.Fail(ctx, order.Claim{}, order.Failure{})
		}, ""},
		{"settle", nil, func(ctx context.Context, a *traces.Ledger) error {
			return a.Settle(ctx, order.Claim{}, order.Outcome{Status: order.StatusRejected})
		}, "order.status=rejected"},
		{"not settled", away, func(ctx context.Context, a *traces.Ledger) error {
			return a.Settle(ctx, order.Claim{}, order.Outcome{Status: order.StatusRejected})
		}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ended := tracetest.NewSpanRecorder()
			ctx, span := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ended)).Tracer("").Start(t.Context(), "attempt")
			if err := row.do(ctx, traces.NewLedger(books{row.err})); !errors.Is(err, row.err) {
				t.Errorf("the error is %v", err)
			}
			span.End()
			var said []string
			for _, a := range ended.Ended()[0].Attributes() {
				said = append(said, string(a.Key)+"="+a.Value.String())
			}
			if diff := cmp.Diff(row.want, strings.Join(said, " ")); diff != "" {
				t.Errorf("the span says something else (-want +got):\n%s", diff)
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
