package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/stats"
)

// fillStates puts tasks into every state that Depths counts.
func fillStates(t *testing.T, b *bundle) {
	t.Helper()
	working, release := make(chan struct{}), make(chan struct{})
	cfg := config()
	b.consume(t, cfg, func(_ context.Context, id string) error {
		switch {
		case strings.HasPrefix(id, "retry"):
			return &order.RetryError{After: time.Hour, Err: errors.New("busy")}
		case strings.HasPrefix(id, "archived"):
			return &order.PermanentError{Err: errors.New("refused")}
		default:
			close(working)
			<-release
			return nil
		}
	})
	t.Cleanup(func() { close(release) })
	b.enqueue(t, order.QueueDefault, "retry1", "retry2", "retry3", "archived1", "archived2")
	for _, id := range []string{"retry1", "retry2", "retry3"} {
		b.reaches(t, order.QueueDefault, id, asynq.TaskStateRetry)
	}
	for _, id := range []string{"archived1", "archived2"} {
		b.reaches(t, order.QueueDefault, id, asynq.TaskStateArchived)
	}
	b.enqueue(t, order.QueueDefault, "active1")
	queuetest.Receive(t, "the only slot is taken", working)
	b.enqueue(t, order.QueueDefault, "p1", "p2", "p3", "p4")
	b.enqueue(t, order.QueueLow, "l1", "l2")
	queuetest.Must(t, b.Asynq.PauseQueue("low"))
	for _, id := range []string{"s1", "s2", "s3", "s4", "s5"} {
		b.later(t, order.QueueCritical, id)
	}
	for id, age := range map[string]time.Duration{"p1": time.Hour, "p2": 30 * time.Minute} {
		since := time.Now().Add(-age).UnixNano()
		queuetest.Must(t, b.RDB.HSet(t.Context(), "asynq:{default}:t:"+id, "pending_since", since).Err())
	}
}

// TestDepths compares what Inspector reads from Asynq's private keys with what Asynq's own
// inspector reports.
func TestDepths(t *testing.T) {
	b := open(t)
	fillStates(t, b)
	i := queue.NewInspector(b.RDB, 1)
	depths, err := i.Depths(t.Context())
	queuetest.Must(t, err)
	want := map[order.Queue]stats.Depth{
		order.QueueCritical: {Scheduled: 5},
		order.QueueDefault:  {Pending: 4, Active: 1, Retry: 3, Archived: 2},
		order.QueueLow:      {Pending: 2, Paused: true},
	}
	for q, depth := range depths {
		info, err := b.Asynq.GetQueueInfo(string(q))
		queuetest.Must(t, err)
		if off := info.Latency - depth.OldestPending; off.Abs() > time.Minute {
			t.Errorf("%s waits since %v, for Asynq %v", q, depth.OldestPending, info.Latency)
		}
		if (depth.OldestPending > 0) != (depth.Pending > 0) || (depth.OldestPending >= time.Hour) != (q == order.QueueDefault) {
			t.Errorf("%s waits since %v", q, depth.OldestPending)
		}
		asynqs := stats.Depth{
			Pending: int64(info.Pending), Active: int64(info.Active), Scheduled: int64(info.Scheduled),
			Retry: int64(info.Retry), Archived: int64(info.Archived), Paused: info.Paused,
		}
		depth.OldestPending = 0
		depths[q] = depth
		if diff := cmp.Diff(asynqs, depth); diff != "" {
			t.Errorf("%s (-Asynq +ours):\n%s", q, diff)
		}
	}
	if diff := cmp.Diff(want, depths); diff != "" {
		t.Errorf("depths (-want +got):\n%s", diff)
	}
	if n, err := i.Backlog(t.Context()); n != 14 || err != nil {
		t.Errorf("backlog %d, %v", n, err)
	}
}

// TestMissingTask checks that the missing hash of one task does not make Depths fail, as it
// does Asynq.
func TestMissingTask(t *testing.T) {
	b := open(t)
	b.enqueue(t, order.QueueDefault, "o1", "o2")
	if n := b.RDB.Del(t.Context(), "asynq:{default}:t:o1").Val(); n != 1 {
		t.Fatalf("deleted %d keys", n)
	}
	if _, err := b.Asynq.GetQueueInfo("default"); err == nil {
		t.Error("Asynq's own inspector works again: reading its keys ourselves may no longer be needed")
	}
	depths, err := queue.NewInspector(b.RDB, 1).Depths(t.Context())
	want := map[order.Queue]stats.Depth{order.QueueCritical: {}, order.QueueDefault: {Pending: 2}, order.QueueLow: {}}
	if diff := cmp.Diff(want, depths); diff != "" || err != nil {
		t.Errorf("%v, depths (-want +got):\n%s", err, diff)
	}
}
