package reconcile_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// take queues an order and does to it what a worker does that is killed after it
// began an attempt.
func (b *bundle) take(t *testing.T, rec order.Record) {
	t.Helper()
	b.enqueue(t, rec)
	b.fetch(t, rec.ID)
	b.begin(t, rec.ID, "k")
}

// fetch does what Asynq's dequeue does.
func (b *bundle) fetch(t *testing.T, id string) {
	t.Helper()
	ctx := t.Context()
	b.rdb.LRem(ctx, "asynq:{default}:pending", 0, id)
	b.rdb.LPush(ctx, "asynq:{default}:active", id)
	b.rdb.HSet(ctx, "asynq:{default}:t:"+id, "state", "active")
	b.rdb.ZAdd(ctx, "asynq:{default}:lease", redis.Z{Score: float64(time.Now().Unix()), Member: id})
}

func (b *bundle) sweep(t *testing.T) {
	t.Helper()
	if err := b.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// swept is what a test of sweeping compares.
type swept struct {
	Status   order.Status
	Attempts int
	Error    string // of the last attempt
	Pending  bool
	Repairs  map[order.Repair]int64
}

func (b *bundle) swept(t *testing.T, id string) swept {
	t.Helper()
	rec, err := b.books.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	totals, err := b.books.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := swept{Status: rec.Status, Attempts: len(rec.Attempts), Repairs: totals.Repairs}
	if s.Attempts > 0 {
		s.Error = rec.Attempts[s.Attempts-1].Error
	}
	for _, pending := range b.rdb.LRange(t.Context(), "asynq:{default}:pending", 0, -1).Val() {
		s.Pending = s.Pending || pending == id
	}
	return s
}

type repairs = map[order.Repair]int64

// TestSweep holds what becomes of an order whose worker is gone.
func TestSweep(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before func(t *testing.T, b *bundle, rec order.Record)
		want   swept
	}{
		{"taken and not begun", func(t *testing.T, b *bundle, rec order.Record) {
			t.Helper()
			b.enqueue(t, rec)
			b.fetch(t, rec.ID)
		}, swept{order.StatusPending, 0, "", true, repairs{order.RepairPutBack: 1}}},
		{
			"begun",
			func(t *testing.T, b *bundle, rec order.Record) { t.Helper(); b.take(t, rec) },
			swept{order.StatusRetrying, 1, "worker was lost", true, repairs{order.RepairPutBack: 1}},
		},
		{"failed, and not acknowledged", func(t *testing.T, b *bundle, rec order.Record) {
			t.Helper()
			b.enqueue(t, rec)
			b.fetch(t, rec.ID)
			b.fail(t, rec.ID)
		}, swept{order.StatusRetrying, 1, "busy", true, repairs{order.RepairPutBack: 1}}},
		{"settled, and not acknowledged", func(t *testing.T, b *bundle, rec order.Record) {
			t.Helper()
			b.enqueue(t, rec)
			b.fetch(t, rec.ID)
			b.settle(t, rec.ID)
		}, swept{order.StatusCompleted, 1, "", true, repairs{order.RepairPutBack: 1}}},
		{"with a place that cannot be read", func(t *testing.T, b *bundle, rec order.Record) {
			t.Helper()
			b.take(t, rec)
			b.rdb.HSet(t.Context(), "asynq:{default}:t:o1", "msg", "garbage")
		}, swept{
			order.StatusRetrying, 1, "worker was lost", true,
			repairs{order.RepairSetAside: 1, order.RepairRequeued: 1},
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(t, b, b.accept(t, "o1"))
			for range 2 {
				b.sweep(t)
				if diff := cmp.Diff(row.want, b.swept(t, "o1")); diff != "" {
					t.Errorf("after a sweep (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestThirdLoss fails an order that has lost its third worker, with that reason,
// and counts anew after a retry.
func TestThirdLoss(t *testing.T) {
	b := open(t)
	b.take(t, b.accept(t, "o1"))
	for range 2 {
		b.sweep(t)
		b.fetch(t, "o1")
		b.begin(t, "o1", "again")
	}
	b.sweep(t)
	want := swept{
		order.StatusFailed, 3, "worker was lost", true,
		repairs{order.RepairPutBack: 3, order.RepairGivenUp: 1},
	}
	if diff := cmp.Diff(want, b.swept(t, "o1")); diff != "" {
		t.Errorf("after the third loss (-want +got):\n%s", diff)
	}
	rec, err := b.books.Get(t.Context(), "o1")
	if err != nil || rec.Error != "worker was lost 3 times: the order may be what ends it" {
		t.Errorf("it failed with %q, %v", rec.Error, err)
	}
	if _, err := b.books.Retry(t.Context(), "o1", "r"); err != nil {
		t.Fatal(err)
	}
	b.fetch(t, "o1")
	b.begin(t, "o1", "anew")
	b.sweep(t)
	if got := b.swept(t, "o1"); got.Status != order.StatusRetrying {
		t.Errorf("after the first loss of the next run it is %s", got.Status)
	}
}

// TestSuspects holds that of the orders that have lost two workers, few are put
// back at a time: any of them may end the next one, and the others with it.
func TestSuspects(t *testing.T) {
	b := open(t)
	const orders = 130
	ids := make([]string, orders)
	for n := range ids {
		ids[n] = fmt.Sprint("o", n)
		b.take(t, b.accept(t, ids[n]))
	}
	b.sweep(t)
	for _, id := range ids {
		b.fetch(t, id)
		b.begin(t, id, "again")
	}
	for _, want := range []int64{2, 4, 6} {
		b.sweep(t)
		if n := b.rdb.LLen(t.Context(), "asynq:{default}:pending").Val(); n != want {
			t.Errorf("%d orders are back, want %d", n, want)
		}
	}
	for range orders {
		b.sweep(t)
	}
	if n := b.rdb.LLen(t.Context(), "asynq:{default}:pending").Val(); n != orders {
		t.Errorf("%d orders are back in the end, want all %d", n, orders)
	}
}

// TestSweepFaults breaks each write of a sweep in both ways a network can, sweeps
// again, and wants what a sweep without a fault leaves. The count may miss what
// broke, and never counts twice.
func TestSweepFaults(t *testing.T) {
	t.Parallel()
	writes := map[string]string{"end the attempt": "orders:{b0}:o:", "put back": "asynq:{default}:active", "count": "orders:{b0}:c"}
	for name, key := range writes {
		for _, fault := range redistest.Faults() {
			t.Run(name+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				b.take(t, b.accept(t, "o1"))
				b.breaker.Break(fault, redistest.Script(key))
				if err := b.Sweep(t.Context()); !errors.Is(err, order.ErrUnavailable) {
					t.Errorf("the broken sweep answered %v", err)
				}
				b.sweep(t)
				want := swept{order.StatusRetrying, 1, "worker was lost", true, nil}
				got := b.swept(t, "o1")
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(swept{}, "Repairs")); diff != "" {
					t.Errorf("after the next sweep (-want +got):\n%s", diff)
				}
				if n := got.Repairs[order.RepairPutBack]; n > 1 {
					t.Errorf("counted %d times", n)
				}
			})
		}
	}
}
