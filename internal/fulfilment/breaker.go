package fulfilment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"orderprocessor/internal/order"
)

const (
	// reportInterval is how often a worker reports its calls.
	reportInterval = 250 * time.Millisecond
	// reportAfter is after how many failures it reports at once.
	reportAfter = 16
	// reportTimeout bounds one report.
	reportTimeout = 2 * time.Second
	// aloneAfter is how long the circuit breaker's state may be unknown before the worker
	// calls gently on its own: one order a second.
	aloneAfter = 3 * time.Second
)

// SharedBreaker keeps the state that all workers share; see ledger.Ledger.ReportCalls.
type SharedBreaker interface {
	ReportCalls(ctx context.Context, r order.CallReport) (order.Permit, error)
}

// Gate bounds the orders that a worker takes off the queues; see the methods of
// queue.Consumer.
type Gate interface {
	Limit(n int) (unused int)
	Free() int
}

// Breaker is the circuit breaker of an endpoint, as one worker takes part in it: it
// reports the results of its calls, and takes no more orders than it is permitted. So
// while the shop is down, orders stay in their queues. It is safe for concurrent use.
//
// While the shared state cannot be reached, the worker goes on if nothing limited it before
// and the shop takes all its orders, as when of several Redis nodes one is away. Else it
// takes one order a second: Redis being away stops no calls for ever, and lets none loose.
type Breaker struct {
	client *Client
	shared SharedBreaker
	log    *slog.Logger
	kick   chan struct{} // report now

	mu     sync.Mutex
	report order.CallReport // of the calls since the last report
}

// NewBreaker returns the breaker for the calls of a client, in a worker of this name.
func NewBreaker(c *Client, worker string, shared SharedBreaker, log *slog.Logger) *Breaker {
	digest := sha256.Sum256([]byte(c.endpoint))
	return &Breaker{
		client: c, shared: shared, log: log, kick: make(chan struct{}, 1),
		report: order.CallReport{Endpoint: hex.EncodeToString(digest[:8]), Worker: worker},
	}
}

// Fulfil is like Client.Fulfil, and counts the result.
func (b *Breaker) Fulfil(ctx context.Context, a order.Approval) (note string, err error) {
	note, err = b.client.Fulfil(ctx, a)
	if errors.Is(ctx.Err(), context.Canceled) {
		return note, err // the worker stops; that says nothing about the shop
	}
	if b.count(a, err) {
		select {
		case b.kick <- struct{}{}:
		default:
		}
	}
	return note, err
}

// count counts a result, and reports whether it should be reported at once.
func (b *Breaker) count(a order.Approval, err error) (now bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &b.report
	var permanent *order.PermanentError
	var retry *order.RetryError
	switch {
	case err == nil:
		r.Taken++
		return false
	case errors.As(err, &permanent):
		r.Refused++
		return false
	case errors.As(err, &retry) && retry.Later:
		r.Later++
		r.LastError = order.Reason(err)
		return true
	case errors.As(err, &retry) && isOwnError(retry.Status):
		r.Errors++
	default:
		r.Unanswered++
	}
	if a.Again {
		r.Again++
	}
	r.LastError = order.Reason(err)
	return r.Errors+r.Unanswered >= reportAfter
}

// isOwnError reports whether the shop answered with an error that may be about the one
// order, rather than one that says that the shop is not there.
func isOwnError(status int) bool {
	return status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable && !isGateway(status)
}

// Run reports at once and until ctx ends, and limits what the gate lets through; until the
// first answer, the gate should let nothing through. It may be called once.
func (b *Breaker) Run(ctx context.Context, gate Gate) error {
	tick := time.NewTicker(reportInterval)
	defer tick.Stop()
	limited, known, alone := true, time.Now(), time.Time{}
	for ctx.Err() == nil {
		unused := 0
		if limited {
			unused = gate.Limit(0)
		}
		permit, err := b.exchange(ctx, unused, gate.Free())
		switch {
		case err == nil:
			gate.Limit(permit.Calls)
			limited, known = permit.Calls >= 0, time.Now()
		case !limited && b.fine(): // the books of the other orders may be there all the same
		case time.Since(known) < aloneAfter && limited:
			gate.Limit(unused)
		case time.Since(known) >= aloneAfter && time.Since(alone) >= time.Second && ctx.Err() == nil:
			b.log.WarnContext(ctx, "the circuit breaker cannot be reached; this worker takes one order a second", "error", err)
			limited, alone = true, time.Now()
			gate.Limit(1)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-b.kick:
			limited = true // until it is known what the shop takes
		}
	}
	return nil
}

// fine reports whether the shop has taken all orders since the last report.
func (b *Breaker) fine() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.report.Errors+b.report.Unanswered+b.report.Later == 0
}

// exchange reports the calls since the last report. Those that could not be reported are
// reported with the next.
func (b *Breaker) exchange(ctx context.Context, unused, free int) (order.Permit, error) {
	b.mu.Lock()
	r := b.report
	b.report = order.CallReport{Endpoint: r.Endpoint, Worker: r.Worker}
	b.mu.Unlock()
	r.Unused, r.Want = unused, free
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	permit, err := b.shared.ReportCalls(ctx, r)
	if err != nil {
		b.mu.Lock()
		b.report.Add(r)
		b.mu.Unlock()
	}
	return permit, err
}
