package prove

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/history"
)

const (
	// window is how many orders the clients call at the same time.
	window = 24
	// afterFailure is how long a client waits after a call that nobody answered, or that
	// was refused.
	afterFailure = 200 * time.Millisecond
)

// callAll makes the calls of all clients, evenly over the time. Calls that are late when the time is up
// are left out.
func (r *run) callAll(ctx context.Context) {
	if r.rights.submit != nil {
		return
	}
	var calling sync.WaitGroup
	var made atomic.Int64
	end := time.Now().Add(r.For)
	calling.Go(func() { r.sendWrongOrders(ctx) })
	for n := range r.Clients {
		calling.Go(func() { r.callAs(ctx, n+1, &made, end) })
	}
	calling.Wait()
}

// callAs makes calls of one client, one after the other.
func (r *run) callAs(ctx context.Context, number int, made *atomic.Int64, end time.Time) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // not a secret
	caller := r.caller(number)
	begun, every := end.Add(-r.For), r.For/time.Duration(r.Calls())
	for {
		n := int(made.Add(1)) - 1
		due := begun.Add(time.Duration(n) * every)
		if n >= r.Calls() || !time.Now().Before(end) || client.Wait(ctx, time.Until(due)) != nil {
			return
		}
		t := r.targets[(n/callsPerOrder+random.IntN(window))%len(r.targets)]()
		call, body := t.draw(random, r.rights)
		a := r.do(ctx, caller, t, call, body)
		if r.OnCall != nil {
			r.OnCall()
		}
		if (a.Result == history.Unknown || a.Result == history.Refused) && client.Wait(ctx, afterFailure) != nil {
			return
		}
	}
}

func (r *run) caller(number int) *history.Caller {
	return &history.Caller{Number: number, Recorder: r.recorder, Reason: "orderctl prove"}
}

// do makes a call for an order.
func (r *run) do(ctx context.Context, caller *history.Caller, t *target, call history.Call, body []byte) history.Answer {
	a := caller.Do(ctx, r.API, call, body)
	t.answered(call, a)
	return a
}
