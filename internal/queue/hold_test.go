package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
)

// TestHold keeps a consumer from fetching, from moving on what is due and from
// taking back what seems expired, and lets it go on.
func TestHold(t *testing.T) {
	b := open(t)
	taken := make(chan string, 2)
	c, err := queue.NewConsumer(b.broken, config(), handler(func(_ context.Context, id string) error {
		taken <- id
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	b.enqueue(t, order.QueueDefault, "o1", "expired")
	ctx := t.Context()
	b.rdb.LRem(ctx, "asynq:{default}:pending", 0, "expired")
	b.rdb.LPush(ctx, "asynq:{default}:active", "expired")
	b.rdb.HSet(ctx, "asynq:{default}:t:expired", "state", "active")
	b.rdb.ZIncrBy(ctx, "asynq:{default}:lease", float64(time.Now().Add(-time.Minute).Unix()), "expired")
	if _, err := b.client.Enqueue(asynq.NewTask("order", nil), asynq.TaskID("later"), asynq.Queue("default"), asynq.ProcessIn(time.Second)); err != nil {
		t.Fatal(err)
	}
	b.rdb.ZIncrBy(ctx, "asynq:{default}:scheduled", -60, "later")
	c.Hold(true)
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- c.Run(running) }()
	for range 4 { // the forwarder looks twice a second
		never(t, "an order was fetched", func() bool { return len(taken) > 0 })
	}
	for id, want := range map[string]asynq.TaskState{
		"o1": asynq.TaskStatePending, "expired": asynq.TaskStateActive, "later": asynq.TaskStateScheduled,
	} {
		if task := b.task(order.QueueDefault, id); task == nil || task.State != want {
			t.Errorf("%s is %+v, want it %v", id, task, want)
		}
	}
	c.Hold(false)
	for range 2 { // the forwarder brings the other one
		receive(t, "the order", taken)
	}
	c.Hold(true)
	cancel()
	if err := receive(t, "the end", ended); err != nil {
		t.Error(err)
	}
}
