package recovery_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// requeued is what a test of orphans compares.
type requeued struct {
	Status   order.Status
	Attempts int
	Error    string // of the last attempt
	Pending  bool
	Repairs  repairs
}

func (b *bundle) requeued(id string) requeued {
	b.t.Helper()
	rec := b.get(id)
	got := requeued{
		Status: rec.Status, Attempts: len(rec.Attempts),
		Pending: slices.Contains(b.Pending(order.QueueDefault), id), Repairs: b.repairs(),
	}
	if got.Attempts > 0 {
		got.Error = rec.Attempts[got.Attempts-1].Error
	}
	return got
}

// TestRequeueOrphans checks what becomes of an order whose worker is gone.
func TestRequeueOrphans(t *testing.T) {
	t.Parallel()
	once := repairs{order.RepairOrphan: 1}
	rows := []struct {
		name  string
		steps []step // after the order was fetched
		want  requeued
	}{
		{"not begun", nil, requeued{order.StatusPending, 0, "", true, once}},
		{"begun", []step{begin("o1", "w1")}, requeued{order.StatusRetrying, 1, "worker was lost", true, once}},
		{"failed, not acknowledged", []step{fail("o1")}, requeued{order.StatusRetrying, 1, "busy", true, once}},
		{
			"settled, not acknowledged",
			[]step{settle("o1", order.StatusCompleted)},
			requeued{order.StatusCompleted, 1, "", true, once},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.do(accept("o1"), enqueue("o1"), fetch("o1"))
			b.do(row.steps...)
			for range 2 {
				requeueOrphans(b)
				wantEqual(t, "order", row.want, b.requeued("o1"))
			}
		})
	}
}

// TestRequeueOrphansFaults breaks each write in both ways and tries again: the state is
// that of a pass without a fault. The count may miss a repair and never counts one twice.
func TestRequeueOrphansFaults(t *testing.T) {
	t.Parallel()
	count := func(cmd redis.Cmder) bool { return slices.Equal(redistest.Keys(cmd), []string{ledgertest.CountersKey}) }
	writes := map[string]func(redis.Cmder) bool{
		"end the attempt": redistest.Script(ledgertest.RecordKey("")),
		"requeue":         redistest.Script("asynq:{default}:active"),
		"count":           count,
	}
	for name, match := range writes {
		for _, fault := range redistest.Faults() {
			t.Run(name+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				b.do(accept("o1"), enqueue("o1"), work("o1", "w1"))
				b.Breaker.Break(fault, match)
				b.wantUnavailable(b.RequeueOrphans(t.Context(), time.Now()))
				requeueOrphans(b)
				want := requeued{order.StatusRetrying, 1, "worker was lost", true, nil}
				got := b.requeued("o1")
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(requeued{}, "Repairs")); diff != "" {
					t.Errorf("after the next pass (-want +got):\n%s", diff)
				}
				if n := got.Repairs[order.RepairOrphan]; n > 1 {
					t.Errorf("counted %d times", n)
				}
			})
		}
	}
}

// TestRequeueOrphansGoesOn checks that an order which cannot be repaired, or read, does
// not stop the others, and that orders of unknown and unreadable records are requeued.
func TestRequeueOrphansGoesOn(t *testing.T) {
	b := open(t)
	for _, id := range []string{"o3", "o4", "o5", "unreadable", "broken"} { // the last one comes first
		b.do(accept(id), enqueue(id), work(id, "w1"))
	}
	b.RDB.HSet(t.Context(), ledgertest.RecordKey("broken"), "p", "many")
	defer b.RDB.HDel(t.Context(), ledgertest.RecordKey("broken"), "p")
	defer b.makeUnreadable("unreadable")()
	if err := b.RequeueOrphans(t.Context(), time.Now()); err == nil {
		t.Error("no error is returned")
	}
	for _, id := range []string{"o3", "o4", "o5"} {
		if got := b.requeued(id); got.Status != order.StatusRetrying || !got.Pending {
			t.Errorf("%s is %+v", id, got)
		}
	}
	if n := b.repairs()[order.RepairOrphan]; n != 4 {
		t.Errorf("%d are counted", n)
	}
}

// TestFullRedis checks that all orphans are requeued when Redis has no memory for their
// count.
func TestFullRedis(t *testing.T) {
	b := open(t)
	for _, id := range []string{"o1", "o2"} {
		b.do(accept(id), enqueue(id), work(id, "w1"))
	}
	b.RDB.ConfigSet(t.Context(), "maxmemory", "1")
	_ = b.RequeueOrphans(t.Context(), time.Now())
	b.RDB.ConfigSet(t.Context(), "maxmemory", "0")
	if got := b.Pending(order.QueueDefault); len(got) != 2 {
		t.Errorf("pending: %v", got)
	}
}
