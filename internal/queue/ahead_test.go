package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// TestAheadIsBounded holds that a worker which can begin no more orders fetches no
// more than its slots ahead.
func TestAheadIsBounded(t *testing.T) {
	b := open(t)
	b.fill(t, order.QueueDefault, 400)
	cfg := config()
	const slots = 6
	cfg.Concurrency, cfg.Lanes = slots, 3
	var running atomic.Int32
	release := make(chan struct{})
	b.consume(t, cfg, func(context.Context, string) error {
		running.Add(1)
		<-release
		return nil
	})
	t.Cleanup(func() { close(release) })
	eventually(t, "all slots are taken", func() bool { return running.Load() == slots })
	never(t, "tasks were hoarded", func() bool { return b.active(order.QueueDefault) > 2*slots+1 })
}

// TestAheadCountsWhatIsWorked holds that a worker with few free slots fetches few
// tasks.
func TestAheadCountsWhatIsWorked(t *testing.T) {
	b := open(t)
	cfg := config()
	const slots = 30
	cfg.Concurrency, cfg.Lanes = slots, 3
	var running atomic.Int32
	release := make(chan struct{})
	b.consume(t, cfg, func(context.Context, string) error {
		running.Add(1)
		<-release
		return nil
	})
	t.Cleanup(func() { close(release) })
	for n := range slots - 2 {
		b.enqueue(t, order.QueueLow, fmt.Sprint("l", n))
	}
	eventually(t, "nearly all slots are taken", func() bool { return running.Load() == slots-2 })
	b.fill(t, order.QueueDefault, 100)
	eventually(t, "all slots are taken", func() bool { return running.Load() == slots })
	if n := b.active(order.QueueDefault); n > 10 {
		t.Errorf("%d tasks were fetched for two free slots", n)
	}
}

// TestDeliveredOnce holds that all orders are delivered once each, and that as many
// lanes as there are share them, fetching many at a time.
func TestDeliveredOnce(t *testing.T) {
	b := open(t)
	var want []string
	for _, q := range order.Queues() {
		want = append(want, b.fill(t, q, 100)...)
	}
	looks := &counter{match: fetches}
	b.broken.AddHook(looks)
	cfg := config()
	cfg.Concurrency, cfg.Lanes, cfg.ReservedCritical = 12, 4, 2
	var c collector
	b.consume(t, cfg, c.work)
	c.wait(t, want)
	for _, q := range order.Queues() {
		eventually(t, "all orders are off queue "+string(q), func() bool { return b.active(q)+len(b.pending(q)) == 0 })
	}
	c.wait(t, want)
	if n := looks.n.Load(); int(n) >= len(want) {
		t.Errorf("%d orders took %d fetches", len(want), n)
	}
}

// TestWeights holds that full queues have their turns about as often as their
// weights say, 6 to 3 to 1.
func TestWeights(t *testing.T) {
	b := open(t)
	for _, q := range order.Queues() {
		b.fill(t, q, 600)
	}
	cfg := config()
	cfg.Concurrency, cfg.Lanes = 4, 2
	var c collector
	b.consume(t, cfg, c.work)
	eventually(t, "600 orders are delivered", func() bool { return len(c.got()) >= 600 })
	shares := map[order.Queue]int{}
	for _, id := range c.got()[:600] {
		name, _, _ := strings.Cut(id, "-")
		shares[order.Queue(name)]++
	}
	for q, want := range map[order.Queue][2]int{
		order.QueueCritical: {270, 450}, order.QueueDefault: {100, 260}, order.QueueLow: {20, 120},
	} {
		if n := shares[q]; n < want[0] || n > want[1] {
			t.Errorf("of 600 orders %d came from queue %s, want %d to %d: %v", n, q, want[0], want[1], shares)
		}
	}
}

// TestReservedSlotsAsk holds that a reserved slot takes critical orders alone, also
// when it could have others without asking Redis.
func TestReservedSlotsAsk(t *testing.T) {
	b := open(t)
	b.fill(t, order.QueueDefault, 40)
	h := b.hoard(t, b.broken)
	h.waitFull(t)
	never(t, "a reserved slot took another order", func() bool { return len(h.begun) > 0 })
	b.enqueue(t, order.QueueCritical, "c1")
	if id := receive(t, "the critical order begins", h.begun); id != "c1" {
		t.Errorf("%s began", id)
	}
}

// TestLaneAsksAnew holds that a lane which finds no task gives its question up long
// before a lease ends. Asynq counts the lease of what it gets from the time when it
// asked: with an older question it would not acknowledge what it has worked.
func TestLaneAsksAnew(t *testing.T) {
	t.Parallel()
	for name, queues := range map[string][]order.Queue{
		"reserved": {order.QueueCritical}, "shared": order.Queues(),
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			h := b.hoard(t, b.broken)
			lane := h.Lane(queues...)
			var answers sync.WaitGroup
			answered := make(chan struct{})
			for range 3 { // one of them would always be answered
				answers.Go(func() {
					if _, err := dequeue(lane, order.QueueCritical); err != redis.Nil { //nolint:errorlint // as Asynq compares
						t.Errorf("an empty queue answered %v", err)
					}
				})
			}
			go func() {
				answers.Wait()
				close(answered)
			}()
			select {
			case <-answered:
			case <-time.After(25 * time.Second):
				t.Error("a lane still waits for the answer to one question")
				h.cancel()
				<-answered
			}
		})
	}
}

// dequeue asks as Asynq does for the task of a queue, and returns its message.
func dequeue(lane redis.UniversalClient, q order.Queue) (string, error) {
	own := "asynq:{" + string(q) + "}:"
	keys := []string{own + "pending", own + "paused", own + "active", own + "lease"}
	return lane.EvalSha(context.Background(), queue.DequeueSHA, keys, time.Now().Add(30*time.Second).Unix(), own+"t:").Text()
}

// TestFetchFaults breaks a fetch in both ways a network can. What was taken off its
// queue without an answer is a stray; all orders are delivered, each once.
func TestFetchFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			s := openTasks(t)
			ids := s.fill(t, order.QueueDefault, 20)
			s.breaker.Break(fault, func(c redis.Cmder) bool { return fetches(c) && strings.Contains(redistest.Keys(c)[0], "default") })
			cfg := config()
			cfg.Concurrency = 4
			var c collector
			s.consume(t, cfg, c.work)
			eventually(t, "nothing waits", func() bool {
				return len(s.pending(order.QueueDefault)) == 0 && s.active(order.QueueDefault) == len(ids)-len(c.got())
			})
			orphans := s.watch(t, 12)
			if len(orphans) != len(ids)-len(c.got()) || (len(orphans) > 0) != (fault == redistest.ReplyLost) {
				t.Errorf("%d orphans, %d of %d orders delivered", len(orphans), len(c.got()), len(ids))
			}
			for _, orphan := range orphans {
				if done, err := s.Requeue(t.Context(), orphan); !done || err != nil {
					t.Errorf("requeue %+v: %t, %v", orphan, done, err)
				}
			}
			c.wait(t, ids)
			if s.breaker.Fired() != 1 {
				t.Errorf("%d fetches were broken", s.breaker.Fired())
			}
		})
	}
}

// TestFetchAfterAnOutage holds that a consumer goes on when Redis has been away, or
// has been restarted.
func TestFetchAfterAnOutage(t *testing.T) {
	t.Parallel()
	t.Run("away", func(t *testing.T) {
		b := open(t)
		away := &cut{}
		rdb := b.server.Client()
		rdb.AddHook(away)
		h := b.hoard(t, rdb)
		away.on.Store(true)
		ids := b.fill(t, order.QueueDefault, 2)
		eventually(t, "Redis is asked in vain", func() bool { return away.broken.Load() > 5 })
		away.on.Store(false)
		if diff := cmp.Diff(ids, h.twoBegun(t)); diff != "" {
			t.Errorf("begun (-want +got):\n%s", diff)
		}
	})
	t.Run("restarted", func(t *testing.T) {
		b := open(t)
		h := b.hoard(t, b.broken)
		b.server.Kill()
		b.server.Restart()
		records := []order.Record{record("o1", order.QueueDefault), record("o2", order.QueueDefault)}
		eventually(t, "the orders are queued", func() bool {
			return b.EnqueueAll(t.Context(), handovers(t, records)) == nil
		})
		if diff := cmp.Diff([]string{"o1", "o2"}, h.twoBegun(t)); diff != "" {
			t.Errorf("begun (-want +got):\n%s", diff)
		}
	})
}

// TestFetchFromAFullRedis holds that workers work off what waits when memory is full:
// that is what frees it.
func TestFetchFromAFullRedis(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 10)
	b.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	var c collector
	b.consume(t, config(), c.work)
	c.wait(t, ids)
	eventually(t, "all orders are off the queue", func() bool { return b.active(order.QueueDefault) == 0 })
	for _, id := range ids {
		if task := b.task(order.QueueDefault, id); task != nil {
			t.Errorf("the task of %s is %v", id, task.State)
		}
	}
}

// TestFetchAmongDamagedTasks holds that tasks which cannot be read keep none beside
// them from being delivered, and wait with a lease for the sweeper.
func TestFetchAmongDamagedTasks(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 6)
	const task = "asynq:{default}:t:"
	b.rdb.Del(t.Context(), task+ids[0], task+ids[2])
	b.rdb.Set(t.Context(), task+ids[2], "no task", 0)
	b.rdb.HDel(t.Context(), task+ids[5], "msg")
	damaged := []string{ids[0], ids[2], ids[5]}
	cfg := config()
	cfg.Concurrency = 4
	var c collector
	b.consume(t, cfg, c.work)
	c.wait(t, []string{ids[1], ids[3], ids[4]})
	eventually(t, "the readable ones are off the queue", func() bool {
		left := b.rdb.LRange(context.Background(), "asynq:{default}:active", 0, -1).Val()
		slices.Sort(left)
		return cmp.Equal(damaged, left)
	})
	leased := b.rdb.ZRange(t.Context(), "asynq:{default}:lease", 0, -1).Val()
	if diff := cmp.Diff(damaged, leased, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("leases (-want +got):\n%s", diff)
	}
}

// TestPace holds that the pace follows what is begun, and ends with it: a worker that
// begins little fetches no more than it has slots for.
func TestPace(t *testing.T) {
	c, err := queue.NewConsumer(open(t).rdb, config(), nil)
	if err != nil {
		t.Fatal(err)
	}
	busy := 0
	for range 10 {
		busy = c.Measure(order.QueueDefault, 500)
	}
	if busy < 90 || busy > 100 {
		t.Errorf("500 orders in 50 ms are a pace of %d in 10 ms", busy)
	}
	idle := busy
	for range 10 {
		idle = c.Measure(order.QueueDefault, 0)
	}
	if idle != 0 {
		t.Errorf("nothing begun is a pace of %d", idle)
	}
}
