package traces

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
)

// AttemptLedger records attempts and outcomes; see the methods of ledger.Ledger.
type AttemptLedger interface {
	Begin(ctx context.Context, c order.Claim) (order.Begun, error)
	Fail(ctx context.Context, c order.Claim, f order.Failure) error
	Settle(ctx context.Context, c order.Claim, out order.Outcome) error
	Hold(ctx context.Context, id string, d order.Decision) error
}

// Ledger is a ledger that adds what it records to the span in the context. The worker,
// which makes the attempts, knows no spans. It is safe for concurrent use if the
// ledger below is.
type Ledger struct{ ledger AttemptLedger }

// NewLedger returns a Ledger that records in l.
func NewLedger(l AttemptLedger) *Ledger { return &Ledger{ledger: l} }

// Begin begins an attempt.
func (l *Ledger) Begin(ctx context.Context, c order.Claim) (order.Begun, error) {
	begun, err := l.ledger.Begin(ctx, c)
	if err != nil {
		return begun, err
	}
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(OrderAttempt.Int(begun.Number))
	if c.Handling != "" {
		span.SetAttributes(OrderHandling.String(string(c.Handling)))
	}
	if c.Outcome != nil {
		span.SetAttributes(OrderStatus.String(string(c.Outcome.Status)))
	}
	return begun, nil
}

// Fail ends an attempt that is followed by another.
func (l *Ledger) Fail(ctx context.Context, c order.Claim, f order.Failure) error {
	err := l.ledger.Fail(ctx, c, f)
	if err == nil {
		trace.SpanFromContext(ctx).SetAttributes(OrderStatus.String(string(order.StatusRetrying)))
	}
	return err
}

// Settle records the outcome of an order.
func (l *Ledger) Settle(ctx context.Context, c order.Claim, out order.Outcome) error {
	err := l.ledger.Settle(ctx, c, out)
	if err == nil {
		trace.SpanFromContext(ctx).SetAttributes(OrderStatus.String(string(out.Status)))
	}
	return err
}

// Hold records that an order waits for a person.
func (l *Ledger) Hold(ctx context.Context, id string, d order.Decision) error {
	err := l.ledger.Hold(ctx, id, d)
	if err == nil {
		trace.SpanFromContext(ctx).SetAttributes(OrderStatus.String(string(order.StatusHeld)))
	}
	return err
}
