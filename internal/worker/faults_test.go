package worker_test

import (
	"context"
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/redistest"
)

// TestFaults breaks each command of an attempt in both ways a network can,
// delivers the order as the queue would, and wants one outcome, and a shop that
// is not told twice because of a write that failed after it was told.
func TestFaults(t *testing.T) {
	t.Parallel()
	script := redistest.Script("orders:")
	boom := errors.New("connection refused")
	refuses := &order.PermanentError{Err: boom}
	rows := []struct {
		name       string
		opts       []ordertest.Option
		before     []step
		match      func(redis.Cmder) bool
		inside     bool    // armed inside fulfilment, not before the delivery
		answers    []error // of the shop, the last one for good
		deliveries int     // how many it takes, whatever the fault
		calls      int32
		attempts   int
		status     order.Status
	}{
		{
			name: "get", match: func(c redis.Cmder) bool { return c.Name() == "hgetall" }, answers: []error{nil},
			deliveries: 2, calls: 1, attempts: 1, status: order.StatusCompleted,
		},
		{
			name: "begin", match: script, answers: []error{nil},
			deliveries: 1, calls: 1, attempts: 1, status: order.StatusCompleted,
		},
		{
			name: "begin a rejected order", opts: []ordertest.Option{ordertest.WithItems(51)}, match: script,
			deliveries: 1, calls: 0, attempts: 1, status: order.StatusRejected,
		},
		{
			name: "begin without an attempt left", before: []step{begun("a"), begun("b"), begun("c")}, match: script,
			deliveries: 1, calls: 0, attempts: 3, status: order.StatusFailed,
		},
		{
			name: "begin after a retry", before: inVain("a"), match: script, answers: []error{nil},
			deliveries: 1, calls: 1, attempts: 4, status: order.StatusCompleted,
		},
		{
			name: "fail after a retry", before: inVain("a"), match: script, inside: true, answers: []error{boom, nil},
			deliveries: 2, calls: 2, attempts: 5, status: order.StatusCompleted,
		},
		{
			name: "fail", match: script, inside: true, answers: []error{boom, nil},
			deliveries: 2, calls: 2, attempts: 2, status: order.StatusCompleted,
		},
		{
			name: "settle as completed", match: script, inside: true, answers: []error{nil},
			deliveries: 1, calls: 1, attempts: 1, status: order.StatusCompleted,
		},
		{
			name: "settle as refused", match: script, inside: true, answers: []error{refuses},
			deliveries: 1, calls: 1, attempts: 1, status: order.StatusFailed,
		},
		{
			name: "settle as used up", before: []step{failed("a"), failed("b")}, match: script, inside: true,
			answers: []error{boom}, deliveries: 1, calls: 1, attempts: 3, status: order.StatusFailed,
		},
	}
	for _, row := range rows {
		for _, fault := range redistest.Faults() {
			t.Run(row.name+"/"+fault.String(), func(t *testing.T) {
				b := open(t, row.opts...)
				for _, before := range row.before {
					before(t, b)
				}
				arm := func() { b.breaker.Break(fault, row.match) }
				f := &fulfilment{}
				f.fulfil = func(context.Context, order.Approval) (string, error) {
					n := int(f.calls.Load())
					if row.inside && n == 1 {
						arm()
					}
					return "", row.answers[min(n, len(row.answers))-1]
				}
				b.hire(f)
				if !row.inside {
					arm()
				}
				if n := b.deliver(t); n != row.deliveries {
					t.Errorf("%d deliveries, want %d", n, row.deliveries)
				}
				if b.breaker.Fired() != 1 {
					t.Fatalf("%d commands were broken", b.breaker.Fired())
				}
				if n := f.calls.Load(); n != row.calls {
					t.Errorf("fulfilment was called %d times, want %d", n, row.calls)
				}
				rec := b.get(t)
				if n := len(rec.Attempts); rec.Status != row.status || n != row.attempts {
					t.Errorf("the order is %s after %d attempts, want %s after %d", rec.Status, n, row.status, row.attempts)
				}
			})
		}
	}
}

// deliver works the order as the queue would, until it is acknowledged or
// archived, and returns how often.
func (b *bundle) deliver(t *testing.T) int {
	t.Helper()
	for n := 1; n < 10; n++ {
		if kind := verdictOf(b.Work(t.Context(), "o1")).Kind; kind == acknowledge || kind == permanent {
			return n
		}
	}
	t.Fatal("the order comes back for ever")
	return 0
}
