package metrics

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/order"
)

// The values of the label result of an attempt.
const (
	resultCompleted = "completed"
	resultRejected  = "rejected"
	resultFailed    = "failed"
	resultRetrying  = "retrying"
	resultHeld      = "held"
	resultLost      = "lost"
)

// AttemptLedger records attempts and outcomes; see the methods of ledger.Ledger.
type AttemptLedger interface {
	Begin(ctx context.Context, c order.Claim) (order.Begun, error)
	Fail(ctx context.Context, c order.Claim, f order.Failure) error
	Settle(ctx context.Context, c order.Claim, out order.Outcome) error
	Hold(ctx context.Context, id string, d order.Decision) error
}

// Handler processes one delivery of an order; see worker.Worker.Work.
type Handler interface {
	Work(ctx context.Context, orderID string) error
}

// Attempts counts attempts by result, and those that are running. It is safe for
// concurrent use.
type Attempts struct {
	results map[string]prometheus.Counter
	running prometheus.Gauge
}

// NewAttempts returns the counters of attempts. Call it once for a registry.
func (r *Registry) NewAttempts() *Attempts {
	results := r.factory.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "attempts_total",
		Help: "Attempts of this process by result: the outcome of the order, retrying when another attempt is due, " +
			"held when the rules held the order instead, lost when the result could not be recorded.",
	}, []string{"result"})
	return &Attempts{
		results: children(results, []string{resultCompleted, resultRejected, resultFailed, resultRetrying, resultHeld, resultLost}),
		running: r.factory.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "attempts_running", Help: "Attempts that this process is making now.",
		}),
	}
}

// Ledger returns a ledger that counts the results which l has recorded.
func (a *Attempts) Ledger(l AttemptLedger) AttemptLedger { return &countedLedger{l, a.results} }

type countedLedger struct {
	AttemptLedger
	results map[string]prometheus.Counter
}

// Begin begins an attempt, and records its outcome if it ends at once.
func (l *countedLedger) Begin(ctx context.Context, c order.Claim) (order.Begun, error) {
	begun, err := l.AttemptLedger.Begin(ctx, c)
	if err == nil && c.Outcome != nil {
		l.count(c.Outcome.Status)
	}
	return begun, err
}

// Fail records that another attempt is due.
func (l *countedLedger) Fail(ctx context.Context, c order.Claim, f order.Failure) error {
	err := l.AttemptLedger.Fail(ctx, c, f)
	if err == nil {
		l.results[resultRetrying].Inc()
	}
	return err
}

// Settle records an outcome.
func (l *countedLedger) Settle(ctx context.Context, c order.Claim, out order.Outcome) error {
	err := l.AttemptLedger.Settle(ctx, c, out)
	if err == nil {
		l.count(out.Status)
	}
	return err
}

func (l *countedLedger) count(outcome order.Status) {
	if result, known := l.results[string(outcome)]; known {
		result.Inc()
	}
}

// Hold records that an order waits for a person.
func (l *countedLedger) Hold(ctx context.Context, id string, d order.Decision) error {
	err := l.AttemptLedger.Hold(ctx, id, d)
	if err == nil {
		l.results[resultHeld].Inc()
	}
	return err
}

// Handler returns a handler that counts the deliveries of h, and those that end
// without a result.
func (a *Attempts) Handler(h Handler) Handler { return &countedHandler{h, a} }

type countedHandler struct {
	handler  Handler
	attempts *Attempts
}

// Work processes one delivery.
func (h *countedHandler) Work(ctx context.Context, orderID string) error {
	h.attempts.running.Inc()
	defer h.attempts.running.Dec()
	err := h.handler.Work(ctx, orderID)
	if lost(err) {
		h.attempts.results[resultLost].Inc()
	}
	return err
}

// lost reports whether a delivery ended without a result.
func lost(err error) bool {
	if err == nil {
		return false // without the allocations below
	}
	var permanent *order.PermanentError
	var retry *order.RetryError
	return !errors.As(err, &permanent) && !errors.As(err, &retry)
}
