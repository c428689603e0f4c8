package queue_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/redistest"
)

// TestDelayed walks over all delayed tasks and removes them.
func TestDelayed(t *testing.T) {
	o := openTasks(t)
	sets := []string{"asynq:{low}:scheduled", "asynq:{critical}:retry", "asynq:{default}:archived"}
	queues := []order.Queue{order.QueueLow, order.QueueCritical, order.QueueDefault}
	want := map[string]order.Queue{}
	for n := range 1500 {
		id, q := fmt.Sprint("o", n), queues[n%3]
		o.RDB.ZAdd(t.Context(), sets[n%3], redis.Z{Score: 1_700_000_000, Member: id})
		o.RDB.HSet(t.Context(), "asynq:{"+string(q)+"}:t:"+id, "msg", "m")
		want[id] = q
	}
	got := map[string]order.Queue{}
	var all []recovery.DelayedTask
	for done := false; !done; {
		var found []recovery.DelayedTask
		var err error
		found, done, err = o.Delayed(t.Context())
		queuetest.Must(t, err)
		for _, task := range found {
			got[task.ID], all = task.Queue, append(all, task)
			if archived := !task.ArchivedAt.IsZero(); archived != (task.Queue == order.QueueDefault) {
				t.Errorf("%+v", task)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("delayed (-want +got):\n%s", diff)
	}
	for _, fault := range redistest.Faults() {
		o.Breaker.Break(fault, redistest.Script("asynq:"))
		if _, err := o.Remove(t.Context(), all[0]); !errors.Is(err, order.ErrUnavailable) {
			t.Errorf("broken: %v", err)
		}
	}
	for n, task := range all {
		if removed, err := o.Remove(t.Context(), task); removed != (n > 0) || err != nil { // the first was removed above
			t.Errorf("removed %s: %t, %v", task.ID, removed, err)
		}
	}
	if keys := o.RDB.Keys(t.Context(), "asynq:{*").Val(); len(keys) > 0 {
		t.Errorf("left: %v", keys)
	}
}
