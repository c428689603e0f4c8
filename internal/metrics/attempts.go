package metrics

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/order"
)

// The results of an attempt, as the label result has them.
const (
	resultCompleted = "completed"
	resultRejected  = "rejected"
	resultFailed    = "failed"
	resultRetrying  = "retrying"
	resultLost      = "lost"
)

// Books takes down attempts and outcomes; see the methods of ledger.Ledger.
type Books interface {
	Begin(ctx context.Context, c order.Claim) (order.Begun, error)
	Fail(ctx context.Context, c order.Claim, f order.Failure) error
	Settle(ctx context.Context, c order.Claim, out order.Outcome) error
}

// Handler works one delivery of an order; see worker.Worker.Work.
type Handler interface {
	Work(ctx context.Context, orderID string) error
}

// Attempts counts attempts by their results, and those that are running. It is safe
// for concurrent use.
type Attempts struct {
	results map[string]prometheus.Counter
	running prometheus.Gauge
}

// NewAttempts returns the counters of attempts. A registry has one of them.
func (r *Registry) NewAttempts() *Attempts {
	return &Attempts{
		results: r.counters("attempts_total",
			"Attempts of this process by result: the outcome of the order, retrying when another attempt is due, "+
				"lost when the result could not be written down.",
			"result", []string{resultCompleted, resultRejected, resultFailed, resultRetrying, resultLost}),
		running: r.factory.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "attempts_running", Help: "Attempts that this process is making now.",
		}),
	}
}

// Books returns books that count the results which are written down in b.
func (a *Attempts) Books(b Books) Books { return &countedBooks{Books: b, results: a.results} }

type countedBooks struct {
	Books
	results map[string]prometheus.Counter
}

// Fail writes down that another attempt is due, and counts it when that is done.
func (b *countedBooks) Fail(ctx context.Context, c order.Claim, f order.Failure) error {
	err := b.Books.Fail(ctx, c, f)
	if err == nil {
		b.results[resultRetrying].Inc()
	}
	return err
}

// Settle writes an outcome down, and counts it when that is done.
func (b *countedBooks) Settle(ctx context.Context, c order.Claim, out order.Outcome) error {
	err := b.Books.Settle(ctx, c, out)
	if result, known := b.results[string(out.Status)]; err == nil && known {
		result.Inc()
	}
	return err
}

// Handler returns a handler that counts the deliveries which h works, and those that
// end without a verdict.
func (a *Attempts) Handler(h Handler) Handler { return &countedHandler{handler: h, attempts: a} }

type countedHandler struct {
	handler  Handler
	attempts *Attempts
}

// Work works one delivery.
func (h *countedHandler) Work(ctx context.Context, orderID string) error {
	h.attempts.running.Inc()
	defer h.attempts.running.Dec()
	err := h.handler.Work(ctx, orderID)
	if lost(err) {
		h.attempts.results[resultLost].Inc()
	}
	return err
}

// lost says whether a delivery ended without a verdict.
func lost(err error) bool {
	if err == nil {
		return false // without the allocations below
	}
	var permanent *order.PermanentError
	var retry *order.RetryError
	return !errors.As(err, &permanent) && !errors.As(err, &retry)
}
