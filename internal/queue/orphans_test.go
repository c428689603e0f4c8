package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/redistest"
)

// orphanBundle is a bundle with Tasks whose clock the test sets.
type orphanBundle struct {
	*bundle
	*queue.Tasks
	now time.Time
}

func openTasks(t *testing.T) *orphanBundle {
	t.Helper()
	o := &orphanBundle{bundle: open(t), now: time.Now()}
	o.restart(t)
	return o
}

// restart replaces Tasks, as another process would.
func (o *orphanBundle) restart(t *testing.T) {
	t.Helper()
	tasks, err := queue.NewTasks(o.Broken, 1)
	queuetest.Must(t, err)
	o.Tasks = tasks
}

// watch reads the leases once a second for so long, and returns the last orphans.
func (o *orphanBundle) watch(t *testing.T, seconds int) []recovery.Orphan {
	t.Helper()
	for range seconds {
		_, err := o.Orphans(t.Context(), o.now)
		queuetest.Must(t, err)
		o.now = o.now.Add(time.Second)
	}
	orphans, err := o.Orphans(t.Context(), o.now)
	queuetest.Must(t, err)
	return orphans
}

// fetch enqueues o1 and fetches it.
func (o *orphanBundle) fetch(t *testing.T) {
	t.Helper()
	o.enqueue(t, order.QueueDefault, "o1")
	o.fetchNext(t, "o1")
}

// fetchNext does what Asynq does when a worker fetches the next task, which must have
// this id.
func (o *orphanBundle) fetchNext(t *testing.T, id string) {
	t.Helper()
	ctx := t.Context()
	o.RDB.LMove(ctx, "asynq:{default}:pending", "asynq:{default}:active", "RIGHT", "LEFT")
	o.RDB.HSet(ctx, "asynq:{default}:t:"+id, "state", "active")
	o.RDB.ZAdd(ctx, "asynq:{default}:lease", redis.Z{Score: float64(time.Now().Add(30 * time.Second).Unix()), Member: id})
}

// renew moves the lease of o1.
func (o *orphanBundle) renew(t *testing.T, seconds int64) {
	t.Helper()
	o.RDB.ZIncrBy(t.Context(), "asynq:{default}:lease", float64(seconds), "o1")
}

// TestOrphans checks when an active task is an orphan.
func TestOrphans(t *testing.T) {
	t.Parallel()
	type step = func(t *testing.T, o *orphanBundle)
	watch := func(seconds int) step { return func(t *testing.T, o *orphanBundle) { o.watch(t, seconds) } }
	pass := func(seconds int) step {
		return func(_ *testing.T, o *orphanBundle) {
			o.now = o.now.Add(time.Duration(seconds) * time.Second)
		}
	}
	renew := func(t *testing.T, o *orphanBundle) { o.renew(t, 5) }
	restart := func(t *testing.T, o *orphanBundle) { o.restart(t) }
	noLease := func(t *testing.T, o *orphanBundle) {
		o.RDB.ZRem(t.Context(), "asynq:{default}:lease", "o1")
	}
	forget := func(t *testing.T, o *orphanBundle) { o.RDB.Del(t.Context(), "asynq:leases") }
	fail := func(t *testing.T, o *orphanBundle) {
		o.Breaker.Break(redistest.NotApplied, func(redis.Cmder) bool { return true })
		if _, err := o.Orphans(t.Context(), o.now); !errors.Is(err, order.ErrUnavailable) {
			t.Errorf("without Redis: %v", err)
		}
	}
	rows := []struct {
		name  string
		steps []step
		want  int
	}{
		{"watched for eleven seconds", []step{watch(11)}, 0},
		{"watched for twelve", []step{watch(12)}, 1},
		{"the lease was renewed", []step{watch(10), renew, watch(10)}, 0},
		{"the lease was renewed once and then no more", []step{watch(10), renew, watch(13)}, 1},
		{"another process continues", []step{watch(5), restart, pass(3), watch(4)}, 1},
		{"without a lease", []step{noLease, watch(12)}, 1},
		{"the saved leases have expired", []step{watch(5), forget, pass(5), watch(5)}, 0},
		{"one reading failed", []step{watch(10), fail, watch(3)}, 0},
		{"Redis was away for a while", []step{watch(5), pass(1), fail, pass(3), fail, pass(1), watch(5)}, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			o := openTasks(t)
			o.fetch(t)
			for _, step := range row.steps {
				step(t, o)
			}
			if orphans := o.watch(t, 0); len(orphans) != row.want {
				t.Errorf("%d orphans, want %d", len(orphans), row.want)
			}
			if ttl := o.RDB.PTTL(t.Context(), "asynq:leases").Val(); ttl <= 0 || ttl > 4*time.Second {
				t.Errorf("the saved leases expire in %v", ttl)
			}
		})
	}
}

// wantRequeued requeues an orphan and checks whether that did anything.
func (o *orphanBundle) wantRequeued(t *testing.T, orphan recovery.Orphan, want bool) {
	t.Helper()
	if requeued, err := o.Requeue(t.Context(), orphan); requeued != want || err != nil {
		t.Errorf("requeued: %t, %v, want %t", requeued, err, want)
	}
}

// TestRequeue checks the keys of Asynq: a real worker holds an order, and when that is
// requeued, the next real worker gets it, before all others and without an attempt
// counted.
func TestRequeue(t *testing.T) {
	o := openTasks(t)
	o.enqueue(t, order.QueueDefault, "o1")
	fetched := make(chan string, 1)
	cfg := config()
	cfg.ShutdownTimeout = 100 * time.Millisecond
	o.consume(t, cfg, func(ctx context.Context, id string) error {
		select {
		case fetched <- id:
		default:
		}
		<-ctx.Done() // it never ends the attempt
		return nil
	})
	queuetest.Receive(t, "the order is fetched", fetched)
	o.enqueue(t, order.QueueDefault, "o2", "o3")
	orphans := o.watch(t, 12)
	want := []recovery.Orphan{{ActiveTask: recovery.ActiveTask{ID: "o1", Queue: order.QueueDefault}, SeenAt: o.now}}
	if diff := cmp.Diff(want, orphans, cmpopts.IgnoreFields(recovery.ActiveTask{}, "Lease")); diff != "" {
		t.Fatalf("orphans (-want +got):\n%s", diff)
	}
	o.wantRequeued(t, orphans[0], true)
	if task := o.Task(order.QueueDefault, "o1"); task.State != asynq.TaskStatePending || task.Retried != 0 {
		t.Errorf("the task is %v, retried %d", task.State, task.Retried)
	}
	o.wantRequeued(t, orphans[0], false)
	next := make(chan string, 3)
	o.consume(t, config(), func(_ context.Context, id string) error { next <- id; return nil })
	for _, want := range []string{"o1", "o2", "o3"} {
		if got := queuetest.Receive(t, "the next order", next); got != want {
			t.Errorf("%s was fetched, want %s", got, want)
		}
	}
}

// TestLeaseRenewed checks that a task is left alone whose worker has renewed its lease
// since.
func TestLeaseRenewed(t *testing.T) {
	o := openTasks(t)
	o.fetch(t)
	orphan := o.watch(t, 12)[0]
	o.renew(t, 5)
	o.wantRequeued(t, orphan, false)
	queuetest.Must(t, o.DropLease(t.Context(), orphan))
	if task := o.Task(order.QueueDefault, "o1"); task.State != asynq.TaskStateActive {
		t.Errorf("the task is %v", task.State)
	}
	active, err := o.Active(t.Context())
	if err != nil || len(active) != 1 || active[0].ID != "o1" || active[0].Lease == "" || active[0].Lease == orphan.Lease {
		t.Errorf("active: %+v, %v", active, err)
	}
}

// TestRequeueFaults breaks it in both ways, and repeats it.
func TestRequeueFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			o := openTasks(t)
			o.fetch(t)
			orphan := o.watch(t, 12)[0]
			o.Breaker.Break(fault, redistest.Script("asynq:{default}:active"))
			if _, err := o.Requeue(t.Context(), orphan); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("broken: %v", err)
			}
			o.wantRequeued(t, orphan, fault == redistest.NotApplied)
			pending := o.RDB.LRange(t.Context(), "asynq:{default}:pending", 0, -1).Val()
			if diff := cmp.Diff([]string{"o1"}, pending); diff != "" {
				t.Errorf("pending (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFullRedis checks that orphans are found and requeued when Redis has no memory left.
func TestFullRedis(t *testing.T) {
	o := openTasks(t)
	o.fetch(t)
	o.RDB.ConfigSet(t.Context(), "maxmemory", "1")
	orphans := o.watch(t, 12)
	if len(orphans) != 1 {
		t.Fatalf("%d orphans", len(orphans))
	}
	o.wantRequeued(t, orphans[0], true)
}

// TestDropLease checks that Asynq does not requeue a task without a lease, and that the
// task stays an orphan.
func TestDropLease(t *testing.T) {
	o := openTasks(t)
	o.fetch(t)
	o.renew(t, -3600) // expired for Asynq
	orphan := o.watch(t, 12)[0]
	for _, fault := range redistest.Faults() {
		o.Breaker.Break(fault, redistest.Script("asynq:{default}:lease"))
		if err := o.DropLease(t.Context(), orphan); !errors.Is(err, order.ErrUnavailable) {
			t.Errorf("broken: %v", err)
		}
	}
	queuetest.Must(t, o.DropLease(t.Context(), orphan))
	cfg := config()
	cfg.ShutdownTimeout = 100 * time.Millisecond
	stop := o.consume(t, cfg, func(context.Context, string) error { return nil }) // its recoverer starts at once
	queuetest.Never(t, "it was requeued", func() bool { return o.Task(order.QueueDefault, "o1").State != asynq.TaskStateActive })
	stop()
	orphans := o.watch(t, 0)
	if len(orphans) != 1 || orphans[0].Lease != "" {
		t.Fatalf("orphans: %+v", orphans)
	}
	o.wantRequeued(t, orphans[0], true)
}
