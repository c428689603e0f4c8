package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/redistest"
)

// wantStored stores the corrupt task o1 and checks whether there was one.
func (o *orphanBundle) wantStored(t *testing.T, want bool) {
	t.Helper()
	if stored, err := o.StoreCorrupt(t.Context(), order.QueueDefault, "o1"); stored != want || err != nil {
		t.Errorf("stored: %t, %v, want %t", stored, err, want)
	}
}

// TestCorruptOrphan checks each way in which a fetched task can be corrupt: Requeue
// finds it, and once it is stored nothing of it is left in the queue.
func TestCorruptOrphan(t *testing.T) {
	t.Parallel()
	const key = "asynq:{default}:t:o1"
	for name, corrupt := range map[string]func(ctx context.Context, o *orphanBundle) error{
		"garbage": func(ctx context.Context, o *orphanBundle) error {
			return o.RDB.HSet(ctx, key, "msg", "\xff\xff garbage").Err()
		},
		"empty":      func(ctx context.Context, o *orphanBundle) error { return o.RDB.HSet(ctx, key, "msg", "").Err() },
		"no message": func(ctx context.Context, o *orphanBundle) error { return o.RDB.HDel(ctx, key, "msg").Err() },
		"no state":   func(ctx context.Context, o *orphanBundle) error { return o.RDB.HDel(ctx, key, "state").Err() },
		"gone":       func(ctx context.Context, o *orphanBundle) error { return o.RDB.Del(ctx, key).Err() },
		"no hash":    func(ctx context.Context, o *orphanBundle) error { return o.RDB.Set(ctx, key, "text", 0).Err() },
		"another order's": func(ctx context.Context, o *orphanBundle) error {
			if _, err := o.Enqueue(ctx, record("other", order.QueueDefault)); err != nil {
				return err
			}
			o.RDB.HSet(ctx, key, "msg", o.RDB.HGet(ctx, "asynq:{default}:t:other", "msg").Val())
			return o.Asynq.DeleteTask("default", "other")
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := openTasks(t)
			o.fetch(t)
			queuetest.Must(t, corrupt(t.Context(), o))
			orphan := o.watch(t, 12)[0]
			if requeued, err := o.Requeue(t.Context(), orphan); requeued || !errors.Is(err, order.ErrCorrupt) {
				t.Errorf("requeued: %t, %v", requeued, err)
			}
			o.wantStored(t, true)
			o.wantStored(t, false)
			keys := o.RDB.Keys(t.Context(), "asynq:{default}:*").Val()
			want := []string{"asynq:{default}:corrupt", "asynq:{default}:corrupt_at"}
			if diff := cmp.Diff(want, keys, cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
			if added, err := o.Enqueue(t.Context(), record("o1", order.QueueDefault)); !added || err != nil {
				t.Errorf("enqueued again: %t, %v", added, err)
			}
		})
	}
}

// TestCorruptWaiting checks that the producer finds a corrupt task wherever it waits, and
// that a StoreCorrupt which broke can be repeated.
func TestCorruptWaiting(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, o *orphanBundle){
		"pending":  func(*testing.T, *orphanBundle) {},
		"archived": func(t *testing.T, o *orphanBundle) { queuetest.Must(t, o.Asynq.ArchiveTask("default", "o1")) },
		"retry": func(t *testing.T, o *orphanBundle) {
			stop := o.consume(t, config(), retryLater)
			o.reaches(t, order.QueueDefault, "o1", asynq.TaskStateRetry)
			stop()
		},
	} {
		for _, fault := range redistest.Faults() {
			t.Run(name+"/"+fault.String(), func(t *testing.T) {
				o := openTasks(t)
				rec := record("o1", order.QueueDefault)
				o.enqueue(t, order.QueueDefault, "o1")
				prepare(t, o)
				o.RDB.HSet(t.Context(), "asynq:{default}:t:o1", "msg", "garbage")
				if _, err := o.Holds(t.Context(), rec); !errors.Is(err, order.ErrCorrupt) {
					t.Errorf("Holds: %v", err)
				}
				if _, err := o.Enqueue(t.Context(), rec); !errors.Is(err, order.ErrCorrupt) {
					t.Errorf("Enqueue: %v", err)
				}
				o.Breaker.Break(fault, redistest.Script("asynq:{default}:t:"))
				if _, err := o.StoreCorrupt(t.Context(), order.QueueDefault, "o1"); !errors.Is(err, order.ErrUnavailable) {
					t.Errorf("broken: %v", err)
				}
				o.wantStored(t, fault == redistest.NotApplied)
				if held, err := o.Holds(t.Context(), rec); held || err != nil {
					t.Errorf("Holds after it: %t, %v", held, err)
				}
				got, err := queue.NewInspector(o.RDB, 1).CorruptTasks(t.Context(), order.QueueDefault, 10)
				queuetest.Must(t, err)
				want := []recovery.CorruptTask{{ID: "o1", Queue: order.QueueDefault, FoundAt: time.Now(), Message: []byte("garbage")}}
				if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(time.Minute)); diff != "" {
					t.Errorf("corrupt tasks (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestCorruptIsBounded checks that the newest are stored, and only the beginning of each.
func TestCorruptIsBounded(t *testing.T) {
	o := openTasks(t)
	for n := range recovery.MaxCorruptTasks + 2 {
		id := fmt.Sprint("o", n)
		o.RDB.HSet(t.Context(), "asynq:{default}:t:"+id, "msg", strings.Repeat("x", recovery.MaxCorruptBytes+1))
		if stored, err := o.StoreCorrupt(t.Context(), order.QueueDefault, id); !stored || err != nil {
			t.Fatalf("store %s: %t, %v", id, stored, err)
		}
	}
	got, err := queue.NewInspector(o.RDB, 1).CorruptTasks(t.Context(), order.QueueDefault, recovery.MaxCorruptTasks+1)
	queuetest.Must(t, err)
	if len(got) != recovery.MaxCorruptTasks || got[0].ID != fmt.Sprint("o", recovery.MaxCorruptTasks+1) || len(got[0].Message) != recovery.MaxCorruptBytes {
		t.Errorf("%d are stored, the newest is %s with %d bytes", len(got), got[0].ID, len(got[0].Message))
	}
	if n := o.RDB.HLen(t.Context(), "asynq:{default}:corrupt").Val(); n != recovery.MaxCorruptTasks {
		t.Errorf("%d messages are stored", n)
	}
}
