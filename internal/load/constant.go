// Package load sends orders to the API at a constant rate and counts what the API
// answers. orderctl load and the benchmarks use it.
//
// It receives the address of an API and a Plan, and hands on a Result. It owns its
// connections while a call lasts. The orders are real ones: what was accepted is
// as durable as any other order.
package load

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	// requestTimeout bounds one request, the wait for a connection included. The
	// API takes at most 30 seconds for a batch; networks get the rest.
	requestTimeout = 35 * time.Second
	// Grace is how long an interrupted load still waits for answers.
	Grace = 2 * time.Second
	// maxPending bounds the requests that are due and not yet answered, and
	// maxPendingBytes their bodies together. Beyond that requests are sent late.
	maxPending      = 10_000
	maxPendingBytes = 256 << 20
	// maxIdle bounds the idle connections where a plan does not bound connections.
	maxIdle = 1000
	// maxAnswerBytes bounds what is kept of one answer.
	maxAnswerBytes = 8 << 20
)

var errInterrupted = errors.New("interrupted")

// Plan is what to send.
type Plan struct {
	// URL is the API's address; Key is sent with each request unless it is empty.
	URL, Key string
	// Rate is in orders per second, for Duration.
	Rate     int
	Duration time.Duration
	// Batch is how many orders a request carries; 0 and 1 send them one by one.
	Batch int
	// Connections bounds the connections; 0 is without a bound.
	Connections int
	// Orders makes the orders.
	Orders Orders
	// OnAnswer is called after each request with its number of orders. It may be nil.
	OnAnswer func(orders int)

	transport http.RoundTripper // replaces the network in tests
}

// size is how many orders a request carries.
func (p Plan) size() int { return max(1, p.Batch) }

// interval is the time from one request to the next.
func (p Plan) interval() time.Duration {
	return time.Duration(p.size()) * time.Second / time.Duration(p.Rate)
}

// Requests is how many requests are due within the duration.
func (p Plan) Requests() int64 {
	return int64(p.Rate) * int64(p.Duration) / (int64(p.size()) * int64(time.Second))
}

// pending bounds the requests that are due and not yet answered.
func (p Plan) pending() uint64 {
	return uint64(min(maxPending, maxPendingBytes/(p.size()*orderBytes))) //nolint:gosec // above 0
}

// Constant sends orders at the constant rate of the plan, whether or not earlier
// requests were answered. Nothing is sent again. It returns when all requests are
// answered, or soon after ctx ends, with the result so far.
func Constant(ctx context.Context, p Plan) *Result {
	answers, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { time.AfterFunc(Grace, func() { cancel(errInterrupted) }) })()
	if p.transport == nil {
		t := newTransport(p.Connections)
		defer t.CloseIdleConnections()
		p.transport = t
	}
	pace := newPace(p, func(d time.Duration) error {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
		return ctx.Err()
	})
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{
			Timeout: requestTimeout, Transport: withContext{p.transport, answers},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
		vegeta.Workers(1), vegeta.MaxWorkers(p.pending()), vegeta.MaxBody(maxAnswerBytes),
	)
	count := newCounter(p, pace)
	for answer := range attacker.Attack(p.targeter(), pace, 0, "") {
		count.add(answer)
		if p.OnAnswer != nil {
			p.OnAnswer(p.size())
		}
	}
	return count.result()
}

// newTransport uses HTTP/1.1 only, where a connection carries one request at a
// time, so that a bound of the connections bounds the requests.
func newTransport(connections int) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	idle := cmp.Or(connections, maxIdle)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, Protocols: &protocols,
		MaxConnsPerHost: connections, MaxIdleConns: idle, MaxIdleConnsPerHost: idle,
	}
}

// withContext gives requests a context; those of vegeta have none.
type withContext struct {
	next http.RoundTripper
	ctx  context.Context //nolint:containedctx // vegeta calls RoundTrip
}

// RoundTrip implements http.RoundTripper.
func (c withContext) RoundTrip(r *http.Request) (*http.Response, error) {
	return c.next.RoundTrip(r.WithContext(c.ctx))
}
