package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// batch is records of every queue, some of them scheduled at the same time.
func batch(n int, at time.Time) []order.Record {
	records := make([]order.Record, n)
	for i := range records {
		q := order.Queues()[i%3]
		records[i] = record(fmt.Sprintf("o%d", i), q)
		if i%4 == 3 {
			records[i] = scheduled(records[i].ID, q, at)
		}
	}
	return records
}

// checkTasks checks that each order has the one task that Enqueue gives it, and that there
// is no other task.
func (b *bundle) checkTasks(t *testing.T, records []order.Record) {
	t.Helper()
	for _, rec := range records {
		want := asynq.TaskStatePending
		if rec.Status == order.StatusScheduled {
			want = asynq.TaskStateScheduled
		}
		info := b.Task(rec.Queue, rec.ID)
		if info == nil || info.State != want {
			t.Errorf("the task of %s is %+v, want it %v", rec.ID, info, want)
			continue
		}
		if want == asynq.TaskStateScheduled && !info.NextProcessAt.Equal(rec.ProcessAt) {
			t.Errorf("the task of %s waits until %v, want %v", rec.ID, info.NextProcessAt, rec.ProcessAt)
		}
		checkPayload(t, info.Payload, rec)
	}
	depths, err := queue.NewInspector(b.RDB, 1).Depths(t.Context())
	queuetest.Must(t, err)
	var n int64
	for _, d := range depths {
		n += d.Pending + d.Active + d.Scheduled + d.Retry + d.Archived
	}
	if n != int64(len(records)) {
		t.Errorf("there are %d tasks, want %d", n, len(records))
	}
}

// TestEnqueueAll checks that many orders get the tasks that each would get alone, whatever
// some of them have already, and that they can be sent again.
func TestEnqueueAll(t *testing.T) {
	t.Parallel()
	at := time.Now().Truncate(time.Second).Add(time.Hour)
	records := batch(30, at)
	rows := []struct {
		name    string
		before  func(*testing.T, *bundle)
		records []order.Record
	}{
		{"none", func(*testing.T, *bundle) {}, nil},
		{"one", func(*testing.T, *bundle) {}, records[:1]},
		{"many on a fresh Redis", func(*testing.T, *bundle) {}, records},
		{"many on a Redis that knows the scripts", func(t *testing.T, b *bundle) {
			b.enqueueRecord(t, records[2])
			b.enqueueRecord(t, records[3])
		}, records},
		{"some with an archived task", func(t *testing.T, b *bundle) {
			for _, rec := range []order.Record{records[0], records[3], records[29]} {
				b.enqueueRecord(t, rec)
				queuetest.Must(t, b.Asynq.ArchiveTask(string(rec.Queue), rec.ID))
			}
		}, records},
		{"the same order twice", func(*testing.T, *bundle) {}, append(slices.Clone(records), records[5], records[7])},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(t, b)
			for range 2 {
				if err := b.EnqueueAll(t.Context(), handovers(t, row.records)); err != nil {
					t.Error(err)
				}
				b.checkTasks(t, row.records[:min(len(row.records), len(records))])
			}
		})
	}
}

// TestEnqueueAllTogether checks that once Redis knows the scripts, the tasks are sent in one
// pipeline: a script for each queue and for each task that waits for its time, and the
// announcement.
func TestEnqueueAllTogether(t *testing.T) {
	b := open(t)
	records := batch(40, time.Now().Truncate(time.Second).Add(time.Hour))
	queuetest.Must(t, b.EnqueueAll(t.Context(), handovers(t, records[:4])))
	// Every name of a queue is sent once for each producer.
	sent := countSent(b.Broken)
	queuetest.Must(t, b.EnqueueAll(t.Context(), handovers(t, records[4:])))
	if diff := cmp.Diff([]int{13}, *sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	b.checkTasks(t, records)
}

// countSent records how many commands a client sends together, each time that it does.
func countSent(rdb *redis.Client) *[]int {
	sent := &[]int{}
	rdb.AddHook(redistest.Hook(func(cmds []redis.Cmder, send func() error) error {
		*sent = append(*sent, len(cmds))
		return send()
	}))
	return sent
}

// TestAnnounced checks that enqueuing announces the queues which got tasks, in one message
// for each call, but not for orders whose time has not come.
func TestAnnounced(t *testing.T) {
	b := open(t)
	subscription := b.RDB.Subscribe(t.Context(), "asynq:wake")
	t.Cleanup(func() { _ = subscription.Close() })
	_, err := subscription.Receive(t.Context())
	queuetest.Must(t, err)
	at := time.Now().Add(time.Hour)
	for _, records := range [][]order.Record{
		{record("o1", order.QueueLow), record("o2", order.QueueCritical), record("o3", order.QueueLow)},
		{scheduled("o4", order.QueueCritical, at), scheduled("o5", order.QueueLow, at)},
		{scheduled("o6", order.QueueCritical, at), record("o7", order.QueueDefault)},
	} {
		queuetest.Must(t, b.EnqueueAll(t.Context(), handovers(t, records)))
	}
	for _, want := range []string{"critical,low", "default"} {
		if got := queuetest.Receive(t, "an announcement", subscription.Channel()).Payload; got != want {
			t.Errorf("announced %q, want %q", got, want)
		}
	}
}

// TestEnqueueAllFaults breaks each write in both ways a network can. A pipeline
// that breaks is made up for one by one; after any other fault a repeat brings what
// is missing.
func TestEnqueueAllFaults(t *testing.T) {
	t.Parallel()
	at := time.Now().Truncate(time.Second).Add(time.Hour)
	script := redistest.Script("asynq:")
	rows := []struct {
		name  string
		warm  bool // Redis knows the scripts
		match func(redis.Cmder) bool
		nth   int
		fails bool
	}{
		{"name a queue", false, func(c redis.Cmder) bool { return c.Name() == "sadd" }, 2, true},
		{"the pipeline", true, script, 1, false},
		{"the pipeline, of scripts that Redis does not know", false, script, 1, false},
		{"with their source", false, script, 7, false},
		{"one by one", false, script, 10, true},
	}
	for _, row := range rows {
		for _, fault := range redistest.Faults() {
			t.Run(row.name+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				records := batch(12, at)
				if row.warm {
					queuetest.Must(t, b.EnqueueAll(t.Context(), handovers(t, records[:4])))
				}
				b.Breaker.BreakNth(row.nth, fault, row.match)
				if err := b.EnqueueAll(t.Context(), handovers(t, records)); errors.Is(err, order.ErrUnavailable) != row.fails || (err != nil) != row.fails {
					t.Errorf("the broken call answered %v", err)
				}
				if b.Breaker.Fired() != 1 {
					t.Fatalf("%d commands were broken", b.Breaker.Fired())
				}
				if !row.fails {
					b.checkTasks(t, records)
				}
				if err := b.EnqueueAll(t.Context(), handovers(t, records)); err != nil {
					t.Errorf("the repeat answered %v", err)
				}
				b.checkTasks(t, records)
			})
		}
	}
}

// TestEnqueueAllOnAFullRedis checks that nothing is enqueued when memory is full, that
// this is an error, and that a repeat enqueues all.
func TestEnqueueAllOnAFullRedis(t *testing.T) {
	b := open(t)
	records := batch(9, time.Now().Truncate(time.Second).Add(time.Hour))
	b.fill(t, order.QueueLow, 1) // Redis knows the script
	b.RDB.ConfigSet(t.Context(), "maxmemory", "1")
	if err := b.EnqueueAll(t.Context(), handovers(t, records)); err == nil {
		t.Error("a full Redis has stored tasks")
	}
	b.checkTasks(t, []order.Record{record("low-0", order.QueueLow)})
	b.RDB.ConfigSet(t.Context(), "maxmemory", "0")
	for range 2 {
		if err := b.EnqueueAll(t.Context(), handovers(t, records)); err != nil {
			t.Error(err)
		}
	}
	b.checkTasks(t, append(slices.Clone(records), record("low-0", order.QueueLow)))
}

// TestNewRun checks that an order which gets a new run while a worker still holds the task
// of its earlier run is delivered again, however that run ends. Recovery does not run here.
func TestNewRun(t *testing.T) {
	b := open(t)
	const each = 60
	ends := map[string]error{
		"failed":   &order.PermanentError{Err: errors.New("refused")}, // archives the task
		"rejected": nil,                                               // deletes it
		"waits":    &order.RetryError{After: time.Hour, Err: errors.New("busy")},
	}
	var (
		mu        sync.Mutex
		delivered = map[string]int{}
		retrying  sync.WaitGroup
	)
	cfg := config()
	cfg.Concurrency = 8
	b.consume(t, cfg, func(_ context.Context, id string) error {
		mu.Lock()
		delivered[id]++
		first := delivered[id] == 1
		mu.Unlock()
		if !first {
			return nil
		}
		kind, _, _ := strings.Cut(id, "-")
		retrying.Go(func() {
			run := order.Handover{Record: record(id, order.QueueDefault), NewRun: true}
			for {
				err := b.EnqueueAll(context.Background(), []order.Handover{run})
				if !errors.Is(err, order.ErrUnavailable) { // a starved machine may need longer than a second
					if err != nil {
						t.Error(err)
					}
					return
				}
			}
		})
		return ends[kind]
	})
	for kind := range ends {
		for n := range each {
			b.enqueue(t, order.QueueDefault, fmt.Sprintf("%s-%d", kind, n))
		}
	}
	programtest.Until(t, "all orders are delivered twice", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range delivered {
			if n < 2 {
				return false
			}
		}
		return len(delivered) == each*len(ends)
	})
	retrying.Wait()
}
