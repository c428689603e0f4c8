package reconcile_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/redistest"
)

// acceptFor writes order o1 into the books for a later time and leaves it without
// a task.
func (b *bundle) acceptFor(t *testing.T, at time.Time) order.Record {
	t.Helper()
	o := ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(at))
	rec, _, err := ledgertest.Accept(t.Context(), b.books, o, order.QueueDefault)
	if err != nil || rec.Status != order.StatusScheduled {
		t.Fatalf("accepted as %s, %v", rec.Status, err)
	}
	return rec
}

// task returns Asynq's view of the task of o1, nil if there is none.
func (b *bundle) task() *asynq.TaskInfo {
	info, err := b.asynq.GetTaskInfo("default", "o1")
	if err != nil {
		return nil
	}
	return info
}

// TestScheduled holds that an order for later which lost its task gets one that
// waits for the same time, and that one which has its task is left alone.
func TestScheduled(t *testing.T) {
	t.Parallel()
	second := time.Now().Truncate(time.Second).Add(time.Hour)
	rows := []struct {
		name     string
		at       time.Time
		enqueued bool
		age      time.Duration
		want     state
		until    time.Time
	}{
		{"without a task", second, false, time.Minute, state{1, 1}, second},
		{
			"without a task, between two seconds", second.Add(time.Microsecond), false, time.Minute,
			state{1, 1},
			second.Add(time.Second),
		},
		{"without a task, too young to tell", second, false, 30 * time.Second, state{0, 0}, time.Time{}},
		{"with its task", second, true, time.Minute, state{1, 0}, second},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			rec := b.acceptFor(t, row.at)
			if row.enqueued {
				b.enqueue(t, rec)
			}
			for range 2 {
				b.round(t, rec.CreatedAt.Add(row.age))
				if diff := cmp.Diff(row.want, b.state(t)); diff != "" {
					t.Errorf("after a round (-want +got):\n%s", diff)
				}
				info := b.task()
				if (info != nil) != (row.want.Tasks > 0) {
					t.Fatalf("the task is %+v", info)
				}
				if info != nil && (info.State != asynq.TaskStateScheduled || !info.NextProcessAt.Equal(row.until)) {
					t.Errorf("the task is %v until %v, want it to wait until %v", info.State, info.NextProcessAt, row.until)
				}
			}
			after, err := b.books.Get(t.Context(), "o1")
			if diff := cmp.Diff(rec, after); err != nil || diff != "" {
				t.Errorf("%v, record (-before +after):\n%s", err, diff)
			}
		})
	}
}

// TestScheduledForATimeThatHasPassed holds that an order whose time came while it
// had no task waits for a worker. As time cannot be put forward, the order's is put
// back.
func TestScheduledForATimeThatHasPassed(t *testing.T) {
	b := open(t)
	rec := b.acceptFor(t, time.Now().Add(time.Hour))
	rec.ProcessAt = rec.CreatedAt.Add(-time.Second)
	document, err := json.Marshal(rec.Order)
	if err != nil {
		t.Fatal(err)
	}
	b.rdb.HSet(t.Context(), "orders:{b0}:o:o1", "d", document)
	b.round(t, rec.CreatedAt.Add(time.Minute))
	if info := b.task(); info == nil || info.State != asynq.TaskStatePending {
		t.Errorf("the task is %+v", info)
	}
	if diff := cmp.Diff(state{1, 1}, b.state(t)); diff != "" {
		t.Errorf("after the round (-want +got):\n%s", diff)
	}
}

// TestScheduledFaults breaks the write of a task that waits in both ways a network
// can, makes the next round, and wants the order to have its task.
func TestScheduledFaults(t *testing.T) {
	t.Parallel()
	schedules := func(c redis.Cmder) bool {
		if !redistest.Script("asynq:")(c) {
			return false
		}
		key, _ := c.Args()[4].(string)
		return strings.HasSuffix(key, ":scheduled")
	}
	for fault, want := range map[redistest.Fault]state{
		redistest.NotApplied: {1, 1},
		redistest.ReplyLost:  {1, 0},
	} {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			at := time.Now().Truncate(time.Second).Add(time.Hour)
			now := b.acceptFor(t, at).CreatedAt.Add(time.Minute)
			b.breaker.Break(fault, schedules)
			if err := b.Round(t.Context(), now); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("the broken round answered %v", err)
			}
			if b.breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.breaker.Fired())
			}
			for range 2 {
				b.round(t, now.Add(10*time.Second))
				if diff := cmp.Diff(want, b.state(t)); diff != "" {
					t.Errorf("after the next round (-want +got):\n%s", diff)
				}
				if info := b.task(); info == nil || info.State != asynq.TaskStateScheduled || !info.NextProcessAt.Equal(at) {
					t.Errorf("the task is %+v", info)
				}
			}
		})
	}
}

// TestRetried holds that an order which was retried, and whose retry broke before
// it was queued, gets a task that a worker takes: its archived one none would.
func TestRetried(t *testing.T) {
	t.Parallel()
	for name, task := range map[string]asynq.TaskState{
		"with its archived task only": asynq.TaskStateArchived,
		"without a task":              0,
		"with its task":               asynq.TaskStatePending,
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			rec := b.accept(t, "o1")
			out := order.Outcome{Status: order.StatusFailed, Error: "busy"}
			if err := b.books.Settle(t.Context(), b.begin(t, "o1", "s"), out); err != nil {
				t.Fatal(err)
			}
			if task != 0 {
				b.enqueue(t, rec)
			}
			if task == asynq.TaskStateArchived {
				if err := b.asynq.ArchiveTask("default", "o1"); err != nil {
					t.Fatal(err)
				}
			}
			settled := b.state(t)
			b.round(t, rec.CreatedAt.Add(time.Minute))
			if diff := cmp.Diff(settled, b.state(t)); diff != "" {
				t.Errorf("a round before the retry (-before +after):\n%s", diff)
			}
			if _, err := b.books.Retry(t.Context(), "o1", "r"); err != nil {
				t.Fatal(err)
			}
			want := state{Tasks: 1, Requeued: 1}
			if task == asynq.TaskStatePending {
				want.Requeued = 0
			}
			for range 2 {
				b.round(t, rec.CreatedAt.Add(time.Minute))
				if diff := cmp.Diff(want, b.state(t)); diff != "" {
					t.Errorf("after a round (-want +got):\n%s", diff)
				}
				if info := b.task(); info == nil || info.State != asynq.TaskStatePending {
					t.Errorf("the task is %+v", info)
				}
			}
		})
	}
}

// TestCancelled holds that an order which was withdrawn stays without a task, also
// when that happens between listing and repair.
func TestCancelled(t *testing.T) {
	t.Parallel()
	cancel := func(t *testing.T, b *bundle) {
		t.Helper()
		if _, err := b.books.Cancel(t.Context(), "o1", "changed my mind"); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("before", func(t *testing.T) {
		b := open(t)
		now := b.acceptFor(t, time.Now().Add(time.Hour)).CreatedAt.Add(time.Minute)
		cancel(t, b)
		b.round(t, now)
		if diff := cmp.Diff(state{}, b.state(t)); diff != "" {
			t.Errorf("state (-want +got):\n%s", diff)
		}
	})
	t.Run("meanwhile", func(t *testing.T) {
		b := open(t)
		now := b.acceptFor(t, time.Now().Add(time.Hour)).CreatedAt.Add(time.Minute)
		l := movedOn{b.books, func(string) { cancel(t, b) }}
		if err := b.reconciler(l, slog.New(slog.DiscardHandler)).Round(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(state{}, b.state(t)); diff != "" {
			t.Errorf("state (-want +got):\n%s", diff)
		}
	})
}
