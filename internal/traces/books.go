package traces

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
)

// Books takes down attempts and outcomes; see the methods of ledger.Ledger.
type Books interface {
	Begin(ctx context.Context, c order.Claim) (order.Begun, error)
	Fail(ctx context.Context, c order.Claim, f order.Failure) error
	Settle(ctx context.Context, c order.Claim, out order.Outcome) error
}

// Attempts is books that let the span of an attempt say what they have taken down:
// the worker, which decides that, knows no spans. It is safe for concurrent use if
// the books are.
type Attempts struct{ books Books }

// NewAttempts returns these books. The span is the one of the context that a method
// is called with.
func NewAttempts(b Books) *Attempts { return &Attempts{books: b} }

// Begin begins an attempt.
func (a *Attempts) Begin(ctx context.Context, c order.Claim) (order.Begun, error) {
	begun, err := a.books.Begin(ctx, c)
	if err != nil {
		return begun, err
	}
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(OrderAttempt.Int(begun.Number))
	if c.Handling != "" {
		span.SetAttributes(OrderHandling.String(string(c.Handling)))
	}
	return begun, nil
}

// Fail ends an attempt that is followed by another.
func (a *Attempts) Fail(ctx context.Context, c order.Claim, f order.Failure) error {
	err := a.books.Fail(ctx, c, f)
	if err == nil {
		trace.SpanFromContext(ctx).SetAttributes(OrderStatus.String(string(order.StatusRetrying)))
	}
	return err
}

// Settle ends an order.
func (a *Attempts) Settle(ctx context.Context, c order.Claim, out order.Outcome) error {
	err := a.books.Settle(ctx, c, out)
	if err == nil {
		trace.SpanFromContext(ctx).SetAttributes(OrderStatus.String(string(out.Status)))
	}
	return err
}
