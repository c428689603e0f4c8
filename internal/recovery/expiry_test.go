package recovery_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// hold holds an order until a time after now; zero for until a person decides.
func hold(id string, expires time.Duration, release bool) step {
	return func(b *bundle) {
		queuetest.Must(b.t, b.books.Hold(b.t.Context(), id, order.Decision{
			Version: "v1", Action: order.ActionHold, Handling: order.HandlingStandard, Reason: "looks odd",
			Hold: order.HoldTerm{Expires: expires, Release: release},
		}))
	}
}

func release(id string) step {
	return func(b *bundle) {
		_, err := b.books.Release(b.t.Context(), id, order.Intervention{Actor: "ops"})
		queuetest.Must(b.t, err)
	}
}

// endHolds ends what has expired by the clock of Redis.
func (b *bundle) endHolds() error {
	now, err := b.books.Now(b.t.Context())
	queuetest.Must(b.t, err)
	return b.EndExpiredHolds(b.t.Context(), now)
}

// TestExpiry ends the holds that have expired, each once and as its rule says.
func TestExpiry(t *testing.T) {
	b := open(t)
	const tick = time.Microsecond
	b.do(accept("releases"), hold("releases", tick, true), accept("rejects"), hold("rejects", tick, false),
		accept("waits"), hold("waits", time.Hour, true), accept("stays"), hold("stays", 0, false),
		accept("released"), hold("released", tick, false), release("released"),
		accept("cancelled"), hold("cancelled", tick, true), cancel("cancelled"))
	for range 2 {
		queuetest.Must(t, b.endHolds())
		b.wantState("after the expiry", state{Tasks: 1})
	}
	for id, want := range map[string]struct {
		status order.Status
		actor  string
	}{
		"releases": {order.StatusPending, order.ActorExpiry}, "rejects": {order.StatusRejected, order.ActorExpiry},
		"waits": {order.StatusHeld, ""}, "stays": {order.StatusHeld, ""},
		"released": {order.StatusPending, "ops"}, "cancelled": {order.StatusCancelled, "ops"},
	} {
		events, err := b.books.Events(t.Context(), id)
		queuetest.Must(t, err)
		if last := events[len(events)-1]; last.Status != want.status || last.Actor != want.actor {
			t.Errorf("the last event of %s is %+v", id, last)
		}
	}
	if b.Task(order.QueueDefault, "releases") == nil {
		t.Error("the released order has no task")
	}
}

// TestExpiryFaults breaks each command of an expiry: the next one does what is left, or, for
// a release whose task is missing, the repair of tasks.
func TestExpiryFaults(t *testing.T) {
	t.Parallel()
	name := func(n string) func(redis.Cmder) bool { return func(c redis.Cmder) bool { return c.Name() == n } }
	for _, row := range []struct {
		name    string
		release bool
		match   func(redis.Cmder) bool
		missing map[redistest.Fault]int64 // tasks that the repair of tasks has to add
	}{
		{"list", true, name("zrangebyscore"), nil},
		{"read", true, name("hgetall"), nil},
		{"reject", false, redistest.Script("orders:"), nil},
		{"release", true, redistest.Script("orders:"), map[redistest.Fault]int64{redistest.ReplyLost: 1}},
		{"enqueue", true, queuetest.SecondKey(":pending"), map[redistest.Fault]int64{redistest.NotApplied: 1}},
	} {
		for _, fault := range redistest.Faults() {
			t.Run(row.name+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				b.do(accept("o1"), hold("o1", time.Microsecond, row.release))
				b.Breaker.Break(fault, row.match)
				b.wantUnavailable(b.endHolds())
				queuetest.Must(t, b.endHolds())
				later := b.get("o1").CreatedAt.Add(time.Minute)
				b.repairTasks(later)
				want, status := state{Missing: row.missing[fault]}, order.StatusRejected
				if row.release {
					want.Tasks, status = 1, order.StatusPending
				}
				b.wantState("at last", want)
				if got := b.get("o1").Status; got != status {
					t.Errorf("the order is %s", got)
				}
			})
		}
	}
}

// TestExpiryUnreadable ends the other holds when a record cannot be read.
func TestExpiryUnreadable(t *testing.T) {
	b := open(t)
	b.do(accept("odd"), hold("odd", time.Microsecond, true), accept("good"), hold("good", time.Millisecond, false))
	repair := b.makeUnreadable("odd")
	err := b.endHolds()
	for b.get("good").Status == order.StatusHeld { // its millisecond was not over
		err = b.endHolds()
	}
	if err == nil || errors.Is(err, order.ErrUnavailable) {
		t.Errorf("answered %v", err)
	}
	repair()
}

// TestExpiryBehindWhatRemains ends a hold that expired after more others than one call
// takes, none of which can be ended.
func TestExpiryBehindWhatRemains(t *testing.T) {
	b := open(t)
	b.do(accept("good"), hold("good", time.Microsecond, false))
	remaining := make([]redis.Z, 1000)
	for n := range remaining {
		remaining[n].Member = fmt.Sprintf("gone-%d", n)
	}
	index := ledgertest.Book + "s:expiry"
	queuetest.Must(t, b.RDB.ZAdd(t.Context(), index, remaining...).Err())
	for _, want := range []order.Status{order.StatusHeld, order.StatusRejected} {
		queuetest.Must(t, b.endHolds())
		if got := b.get("good").Status; got != want {
			t.Errorf("the order is %s, want %s", got, want)
		}
	}
	queuetest.Must(t, b.RDB.Del(t.Context(), index).Err())
}

// TestHeldHasNoTask gives a held order no task: neither when it is found without one, nor
// when it is held just before it would get one. Its stale task is removed by nobody but the
// worker, who acknowledges it.
func TestHeldHasNoTask(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{"held": {}, "released, and held after a retry": {
		release("o1"), settle("o1", order.StatusFailed), retry("o1"), hold("o1", 0, false),
	}} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			now := b.accept("o1").CreatedAt.Add(time.Minute)
			b.do(hold("o1", 0, false))
			b.do(steps...)
			b.repairTasks(now)
			b.wantState("after the repair", state{})
		})
	}
	t.Run("held since it was listed", func(t *testing.T) {
		b := open(t)
		now := b.accept("o1").CreatedAt.Add(time.Minute)
		r := b.repairer(changing{b.books.Books()[0], func(id string) { b.do(hold(id, 0, false)) }})
		queuetest.Must(t, r.RepairTasks(t.Context(), now))
		b.wantState("after the repair", state{})
	})
}
