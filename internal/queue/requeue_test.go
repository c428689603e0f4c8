package queue_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/prefetch"
)

// TestRequeueMany checks that several active tasks are pending again in their old order, in
// front of those that wait and with nothing else of them changed, also when memory is full;
// and that a task whose lease has changed, or that is not active, is left alone.
func TestRequeueMany(t *testing.T) {
	s := openTasks(t)
	for _, id := range []string{"o1", "o2", "o3", "renewed"} {
		s.enqueue(t, order.QueueDefault, id)
		s.fetchNext(t, id)
	}
	s.RDB.ZRem(t.Context(), "asynq:{default}:lease", "o3")
	s.enqueue(t, order.QueueDefault, "waits")
	message := s.RDB.HGet(t.Context(), "asynq:{default}:t:o2", "msg").Val()
	s.RDB.ConfigSet(t.Context(), "maxmemory", "1")
	lease := func(id string) prefetch.Task {
		score := s.RDB.ZScore(t.Context(), "asynq:{default}:lease", id).Val()
		return prefetch.Task{ID: id, Lease: strconv.FormatInt(int64(score), 10)}
	}
	tasks := []prefetch.Task{lease("o1"), lease("o2"), {ID: "o3"}, {ID: "renewed", Lease: "1"}, {ID: "waits"}, {ID: "nobody"}}
	for _, want := range []int{3, 0} { // the second time, none is active any more
		if n, err := queue.Requeue(t.Context(), s.RDB, order.QueueDefault, tasks); n != want || err != nil {
			t.Errorf("%d were requeued, %v, want %d", n, err, want)
		}
		if diff := cmp.Diff([]string{"o1", "o2", "o3", "waits"}, s.Pending(order.QueueDefault)); diff != "" {
			t.Errorf("pending (-want +got):\n%s", diff)
		}
	}
	info := s.Task(order.QueueDefault, "o2")
	if s.RDB.HGet(t.Context(), "asynq:{default}:t:o2", "msg").Val() != message || info.State != asynq.TaskStatePending || info.Retried != 0 {
		t.Errorf("the task is %+v", info)
	}
	since := s.RDB.HGet(t.Context(), "asynq:{default}:t:o2", "pending_since").Val()
	if n, _ := s.RDB.HGet(t.Context(), "asynq:{default}:t:o2", "pending_since").Int64(); time.Since(time.Unix(0, n)) > time.Minute {
		t.Errorf("it is pending since %s", since)
	}
	if leases := s.RDB.ZRange(t.Context(), "asynq:{default}:lease", 0, -1).Val(); !cmp.Equal([]string{"renewed"}, leases) || s.active(order.QueueDefault) != 1 {
		t.Errorf("leases %v, %d active", leases, s.active(order.QueueDefault))
	}
}
