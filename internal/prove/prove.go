// Package prove shows the guarantees of an installation from outside, with orders of its
// own.
//
// It receives a client of the API and a Plan. It submits orders, reads, cancels and retries
// them, subscribes to their events, and waits for their outcomes. It hands on a Report with
// a verdict for each guarantee. It calls only for orders that it has made: their ids begin
// with Prefix, and those of orders without an id come from the API and are only read. The
// orders are real ones, as durable as any other.
package prove

import (
	"context"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/history"
)

// CallTimeout should bound the requests of the client.
const CallTimeout = 5 * time.Second

// Plan is what to do.
type Plan struct {
	// API must be a client that sends each request once.
	API *client.Client
	// Run names the run. No two runs may share a name.
	Run string
	// For is how long calls are made, and Grace how long orders then have to reach their
	// outcomes.
	For, Grace time.Duration
	// Orders and Clients are how many there are, both at least 1.
	Orders, Clients int
	// OnCall is called after each call that counts towards Calls. It may be nil.
	OnCall func()
}

// callsPerOrder is how many calls the clients make for each order.
const callsPerOrder = 40

// Calls is how many calls the clients make in For, if the API is fast enough.
func (p Plan) Calls() int { return p.Orders * callsPerOrder }

// Prefix begins the id of each order, and each Idempotency-Key.
func (p Plan) Prefix() string { return "prove-" + p.Run + "-" }

// customer is the customer of all orders, and of no others.
func (p Plan) customer() string { return "prove-" + p.Run + "@example.com" }

// run is a plan that is carried out.
type run struct {
	Plan
	began    time.Time
	recorder *history.Recorder
	rights   rights
	targets  []func() *target // made when they are first called
	wrong    []*wrongOrder
	streams  []*listener
	before   books
	after    books
	listed   listing
	last     bool // the final reads are done
}

// Run carries out a plan. It returns an error, and has then made no order, if the API
// cannot be reached or does not know the key. It takes little longer than For and Grace,
// and ends soon after ctx, with what was seen until then.
func Run(ctx context.Context, p Plan) (*Report, error) {
	r := &run{Plan: p, began: time.Now(), recorder: history.NewRecorder()}
	if err := r.askForRights(ctx); err != nil {
		return nil, err
	}
	r.makeTargets()
	r.before = r.readBooks(ctx, 0)
	listening, stop := context.WithCancel(ctx)
	ended := r.listen(listening)
	r.callAll(ctx)
	r.settle(ctx)
	r.readAll(ctx)
	r.awaitEvents(ctx)
	stop()
	ended()
	return r.report(ctx.Err() != nil), nil
}
