package reconcile_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// suspect accepts o1 and lets two workers be lost with it; a third holds it.
func (b *bundle) suspect(t *testing.T) {
	t.Helper()
	b.take(t, b.accept(t, "o1"))
	for range 2 {
		b.sweep(t)
		b.fetch(t, "o1")
		b.begin(t, "o1", "again")
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
	b.suspect(t)
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

// TestSuspects holds that of the orders that have lost two workers, one at a time
// is put back, and that only that one fails when it loses a third.
func TestSuspects(t *testing.T) {
	b := open(t)
	ids := []string{"o1", "o2", "o3", "o4"}
	for _, id := range ids {
		b.take(t, b.accept(t, id))
	}
	b.sweep(t)
	for _, id := range ids {
		b.fetch(t, id)
		b.begin(t, id, "again")
	}
	b.sweep(t)
	first := b.pending(t)
	if n := b.rdb.ZCard(t.Context(), "asynq:{default}:lease").Val(); n != 0 {
		t.Errorf("Asynq may bring %d of the suspects back", n)
	}
	for range 3 { // it waits for a worker
		b.sweep(t)
	}
	if diff := cmp.Diff(first, b.pending(t)); diff != "" || len(first) != 1 {
		t.Fatalf("suspects that are back (-want +got):\n%s", diff)
	}
	b.fetch(t, first[0])
	b.settle(t, first[0])
	b.rdb.LRem(t.Context(), "asynq:{default}:active", 0, first[0])
	b.sweep(t)
	second := b.pending(t)
	if len(second) != 1 || second[0] == first[0] {
		t.Fatalf("after the first suspect's end %v are back", second)
	}
	b.fetch(t, second[0])
	b.begin(t, second[0], "third")
	b.sweep(t)
	rec, err := b.books.Get(t.Context(), second[0])
	if err != nil || rec.Status != order.StatusFailed {
		t.Errorf("the second suspect is %s, %v", rec.Status, err)
	}
	for range ids {
		b.sweep(t)
	}
	if n := len(b.pending(t)); n != 2 { // the place of the failed one, and the third suspect
		t.Errorf("%d places are pending", n)
	}
}

// TestSuspectBesideAnother holds that a suspect which is lost while another one is
// tried apart has not lost its last worker.
func TestSuspectBesideAnother(t *testing.T) {
	b := open(t)
	b.suspect(t)
	if err := b.books.EndApart(t.Context(), "o1"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.books.SetApart(t.Context(), "o2", time.Hour); err != nil {
		t.Fatal(err)
	}
	b.accept(t, "o2")
	b.begin(t, "o2", "apart")
	b.sweep(t)
	rec, err := b.books.Get(t.Context(), "o1")
	if err != nil || rec.Status != order.StatusRetrying || rec.WorkersLost != 2 {
		t.Errorf("it is %s and has lost %d workers, %v", rec.Status, rec.WorkersLost, err)
	}
	if n := len(b.pending(t)); n != 0 {
		t.Errorf("%d orders are back beside the one that is tried apart", n)
	}
	b.settle(t, "o2")
	b.sweep(t)
	if diff := cmp.Diff([]string{"o1"}, b.pending(t)); diff != "" {
		t.Errorf("back after it (-want +got):\n%s", diff)
	}
}

func (b *bundle) pending(t *testing.T) []string {
	t.Helper()
	return b.rdb.LRange(t.Context(), "asynq:{default}:pending", 0, -1).Val()
}

// TestSweepFaults breaks each write of a sweep in both ways a network can, sweeps
// again, and wants what a sweep without a fault leaves. The count may miss what
// broke, and never counts twice.
func TestSweepFaults(t *testing.T) {
	t.Parallel()
	count := func(cmd redis.Cmder) bool { return slices.Equal(redistest.Keys(cmd), []string{"orders:{b0}:c"}) }
	writes := map[string]func(redis.Cmder) bool{
		"end the attempt": redistest.Script("orders:{b0}:o:"), "put back": redistest.Script("asynq:{default}:active"), "count": count,
	}
	for name, match := range writes {
		for _, fault := range redistest.Faults() {
			t.Run(name+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				b.take(t, b.accept(t, "o1"))
				b.breaker.Break(fault, match)
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

// TestApartEnds holds when another suspect gets its turn: not while the first is
// worked, and when its attempt has ended in whatever way.
func TestApartEnds(t *testing.T) {
	t.Parallel()
	const key = "orders:{b0}:i"
	rows := []struct {
		name string
		do   func(t *testing.T, b *bundle)
		left bool // it is still the one
	}{
		{"it is worked", func(t *testing.T, b *bundle) {
			t.Helper()
			b.begin(t, "o1", "apart")
			b.rdb.PExpire(t.Context(), key, time.Minute)
		}, true},
		{"it waits for a worker", func(*testing.T, *bundle) {}, true},
		{"the shop did not take it", func(t *testing.T, b *bundle) {
			t.Helper()
			b.fail(t, "o1")
		}, false},
		{"it is settled", func(t *testing.T, b *bundle) {
			t.Helper()
			b.settle(t, "o1")
		}, false},
		{"it is forgotten", func(t *testing.T, b *bundle) {
			t.Helper()
			b.settle(t, "o1")
			if _, err := b.books.Forget(t.Context(), time.Now().Add(time.Minute), 10); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"it has no attempt", func(t *testing.T, b *bundle) {
			t.Helper()
			b.rdb.Set(t.Context(), key, "o2", time.Minute)
			b.accept(t, "o2")
		}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.suspect(t)
			b.rdb.LRem(t.Context(), "asynq:{default}:active", 0, "o1")
			if _, err := b.books.Lost(t.Context(), "o1", order.LostAttempt{Number: 3, SeenAt: time.Now().Add(time.Minute), BesideSuspect: true}); err != nil {
				t.Fatal(err)
			}
			b.rdb.Set(t.Context(), key, "o1", 2*time.Minute)
			row.do(t, b)
			b.sweep(t)
			left := b.rdb.Exists(t.Context(), key).Val() == 1
			if left != row.left {
				t.Errorf("it is tried apart: %t, want %t", left, row.left)
			}
			if ttl := b.rdb.PTTL(t.Context(), key).Val(); row.name == "it is worked" && ttl <= time.Minute {
				t.Errorf("its term was not begun anew: %v", ttl)
			}
		})
	}
}

// TestLostBesideSuspect holds that a suspect which was tried apart is not blamed
// when its worker held another suspect.
func TestLostBesideSuspect(t *testing.T) {
	t.Parallel()
	for _, losses := range []int{1, 2} {
		t.Run(fmt.Sprint("the other has lost ", losses), func(t *testing.T) {
			b := open(t)
			for _, id := range []string{"o1", "o2"} {
				b.accept(t, id)
				lost := 2
				if id == "o2" {
					lost = losses
				}
				for n := range lost {
					b.begin(t, id, "x")
					if _, err := b.books.Lost(t.Context(), id, order.LostAttempt{Number: n + 1, SeenAt: time.Now().Add(time.Minute)}); err != nil {
						t.Fatal(err)
					}
				}
				rec, err := b.books.Get(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				b.enqueue(t, rec)
				b.fetch(t, id)
				b.begin(t, id, "together")
			}
			b.rdb.Set(t.Context(), "orders:{b0}:i", "o1", time.Minute)
			b.sweep(t)
			want := map[int]order.Status{1: order.StatusFailed, 2: order.StatusRetrying}[losses]
			if got := b.swept(t, "o1"); got.Status != want {
				t.Errorf("it is %s, want %s", got.Status, want)
			}
		})
	}
}

// TestSweepHelpsTheOthers holds that an order which cannot be helped, or read, does
// not keep a sweep from the others.
func TestSweepHelpsTheOthers(t *testing.T) {
	b := open(t)
	for _, id := range []string{"o1", "o2", "o3", "o4", "o5"} {
		b.take(t, b.accept(t, id))
	}
	b.rdb.HSet(t.Context(), "orders:{b0}:o:o1", "p", "many")
	doc := b.rdb.HGet(t.Context(), "orders:{b0}:o:o2", "d").Val()
	b.rdb.HSet(t.Context(), "orders:{b0}:o:o2", "d", "{")
	if err := b.Sweep(t.Context()); err == nil {
		t.Error("the odd order is not told")
	}
	for _, id := range []string{"o3", "o4", "o5"} {
		if got := b.swept(t, id); got.Status != order.StatusRetrying || !got.Pending {
			t.Errorf("%s is %+v", id, got)
		}
	}
	b.rdb.HDel(t.Context(), "orders:{b0}:o:o1", "p")
	b.rdb.HSet(t.Context(), "orders:{b0}:o:o2", "d", doc)
	if n := b.swept(t, "o3").Repairs[order.RepairPutBack]; n != 4 { // o2 goes back unread
		t.Errorf("%d were counted", n)
	}
}

// TestSweepDamagedPending holds that a round replaces a garbled place that waits
// for a worker.
func TestSweepDamagedPending(t *testing.T) {
	b := open(t)
	rec := b.accept(t, "o1")
	b.enqueue(t, rec)
	b.rdb.HSet(t.Context(), "asynq:{default}:t:o1", "msg", "garbage")
	b.round(t, rec.CreatedAt.Add(time.Minute))
	want := repairs{order.RepairSetAside: 1, order.RepairRequeued: 1}
	if diff := cmp.Diff(want, b.swept(t, "o1").Repairs); diff != "" {
		t.Errorf("repairs (-want +got):\n%s", diff)
	}
}

// TestLongTurn puts a suspect back that has waited long for its turn, although
// another one is tried apart.
func TestLongTurn(t *testing.T) {
	b := open(t)
	b.suspect(t)
	b.accept(t, "o2")
	b.begin(t, "o2", "apart")
	b.rdb.Set(t.Context(), "orders:{b0}:i", "o2", time.Hour)
	b.sweep(t)
	if n := len(b.pending(t)); n != 0 {
		t.Fatalf("%d orders are back at once", n)
	}
	line := b.rdb.HGet(t.Context(), "orders:{b0}:o:o1", "a3").Val()
	parts := strings.Split(line, "\t")
	parts[2] = strconv.FormatInt(time.Now().Add(-time.Minute).UnixMicro(), 10) // with the test's sweeper a minute more
	b.rdb.HSet(t.Context(), "orders:{b0}:o:o1", "a3", strings.Join(parts, "\t"))
	b.sweep(t)
	if diff := cmp.Diff([]string{"o1"}, b.pending(t)); diff != "" {
		t.Errorf("back (-want +got):\n%s", diff)
	}
}
