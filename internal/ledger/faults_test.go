package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// TestFaults breaks every change in both ways a network can, repeats it, and
// wants the books as if nothing had happened.
func TestFaults(t *testing.T) {
	t.Parallel()
	a := claim("o1", "a")
	failed := order.Outcome{Status: order.StatusFailed, Error: "refused"}
	changes := []struct {
		name   string
		before []step
		do     step
	}{
		{"accept", nil, accept(sample("o1"))},
		{"accept for later", nil, accept(scheduled(sample("o1")))},
		{"accept many", []step{accept(sample("o1"))}, acceptAll(sample("o1"), sample("o2"))},
		{"begin", []step{accept(sample("o1"))}, begin(a)},
		{"begin after a lost worker", []step{accept(sample("o1")), begin(claim("o1", "x"))}, begin(a)},
		{"fail", []step{accept(sample("o1")), begin(a)}, fail(a)},
		{"settle", []step{accept(sample("o1")), begin(a)}, settle(a, completed())},
		{"cancel", []step{accept(sample("o1"))}, cancel("o1", "changed my mind")},
		{"cancel before its time", []step{accept(scheduled(sample("o1")))}, cancel("o1", "changed my mind")},
		{"cancel after a failed attempt", []step{accept(sample("o1")), begin(a), fail(a)}, cancel("o1", "")},
		{"retry", []step{accept(sample("o1")), begin(a), settle(a, failed)}, retry("o1", "r1")},
		{
			"settle after a retry",
			[]step{accept(sample("o1")), begin(a), settle(a, failed), retry("o1", "r1"), begin(claim("o1", "b"))},
			settle(claim("o1", "b"), completed()),
		},
		{"lost", []step{accept(sample("o1")), begin(a)}, lost("o1", 1)},
		{"lost for the last time", []step{
			accept(sample("o1")), begin(a), lost("o1", 1), begin(claim("o1", "b")), lost("o1", 2), begin(claim("o1", "c")),
			quarantine("o1"),
		}, lost("o1", 3)},
		{"repaired", []step{accept(sample("o1"))}, repaired(order.RepairOrphan, "r1")},
		{"requeued", []step{accept(sample("o1"))}, requeued("o1", "r1")},
		{
			"forget",
			[]step{accept(sample("o1")), begin(a), settle(a, completed()), accept(sample("o2"))},
			func(ctx context.Context, l *ledger.Ledger) error {
				_, err := l.Forget(ctx, time.Now().Add(time.Hour), 10)
				return err
			},
		},
	}
	for _, change := range changes {
		for _, fault := range redistest.Faults() {
			t.Run(change.name+"/"+fault.String(), func(t *testing.T) {
				broken, whole := open(t), newBundle(t)
				broken.do(t, change.before...)
				whole.do(t, append(change.before, change.do)...)
				before := broken.state(t)

				broken.breaker.Break(fault, redistest.Script("orders:"))
				if err := change.do(t.Context(), broken.Ledger); !errors.Is(err, order.ErrUnavailable) {
					t.Fatalf("the broken change answered %v", err)
				}
				want := before
				if fault == redistest.ReplyLost {
					want = whole.state(t)
				}
				if diff := cmp.Diff(want, broken.state(t), ignoreTimes); diff != "" {
					t.Errorf("after the fault (-want +got):\n%s", diff)
				}
				if err := change.do(t.Context(), broken.Ledger); err != nil {
					t.Errorf("the repeated change answered %v", err)
				}
				if diff := cmp.Diff(whole.state(t), broken.state(t), ignoreTimes); diff != "" {
					t.Errorf("after the repeat (-want +got):\n%s", diff)
				}
			})
		}
	}
}
