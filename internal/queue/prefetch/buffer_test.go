package prefetch_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// TestBufferIsBounded checks that a worker which can begin no more orders prefetches about as
// many tasks as it has slots, and fewer when few slots are free.
func TestBufferIsBounded(t *testing.T) {
	t.Parallel()
	const slots = 30
	for _, row := range []struct{ taken, most int }{{0, 2*slots + 1}, {slots - 2, 10}} {
		t.Run(fmt.Sprintf("%d slots taken", row.taken), func(t *testing.T) {
			b := open(t)
			var running atomic.Int32
			release := make(chan struct{})
			b.work(t, b.Broken, workerConfig{servers: 3, slots: slots / 3}, func(context.Context, string) error {
				running.Add(1)
				<-release
				return nil
			})
			t.Cleanup(func() { close(release) })
			b.fill(t, order.QueueLow, row.taken)
			programtest.Until(t, "some slots are taken", func() bool { return int(running.Load()) == row.taken })
			b.send(t, order.QueueDefault, b.idsOf(order.QueueDefault, 400)...)
			programtest.Until(t, "all slots are taken", func() bool { return running.Load() == slots })
			queuetest.Never(t, "too many tasks are fetched", func() bool { return len(b.active()) > row.most })
		})
	}
}

// TestBufferedTasksTakeSlots checks that all queues share the free slots: what is buffered of
// one is not fetched of another, except for the one task that was asked for.
func TestBufferedTasksTakeSlots(t *testing.T) {
	b := open(t)
	p := b.prefetcherOn(b.RDB, 10, new(atomic.Int64))
	for n, want := range []int64{10, 1, 1} {
		q := order.Queues()[n]
		b.fill(t, q, 20)
		_, err := dequeue(p.Client(q), q)
		queuetest.Must(t, err)
		if got := b.RDB.LLen(t.Context(), "asynq:{"+string(q)+"}:active").Val(); got != want {
			t.Errorf("%d tasks of queue %s were fetched, want %d", got, q, want)
		}
	}
}

// TestManyAtATime checks that servers share fetches and acknowledgements.
func TestManyAtATime(t *testing.T) {
	b := open(t)
	want := b.fill(t, order.QueueDefault, 300)
	fetches := countAnswered(b.Broken, isFetch)
	acks := countAnswered(b.Broken, redistest.Script(keyActive))
	var c queuetest.Collector
	b.work(t, b.Broken, workerConfig{servers: 3, slots: 10}, c.Work)
	c.Wait(t, want)
	programtest.Until(t, "all are acknowledged", func() bool { return b.RDB.LLen(context.Background(), keyActive).Val() == 0 })
	if n := fetches.Load(); int(n) >= len(want)/2 {
		t.Errorf("%d orders took %d fetches", len(want), n)
	}
	if n := acks.Load(); int(n) >= len(want) {
		t.Errorf("%d orders took %d acknowledgements", len(want), n)
	}
}

// TestIdleSlotsAsk checks that a server gets tasks of its own queues alone, also while
// tasks of others are buffered.
func TestIdleSlotsAsk(t *testing.T) {
	b := open(t)
	b.fill(t, order.QueueDefault, 40)
	h := b.hoard(t, b.Broken)
	h.waitFull(t)
	queuetest.Never(t, "a critical slot took another order", func() bool { return len(h.begun) > 0 })
	b.enqueue(t, order.QueueCritical, "c1")
	if id := queuetest.Receive(t, "the critical order begins", h.begun); id != "c1" {
		t.Errorf("%s began", id)
	}
}

// TestWaitIsBounded checks that a server which finds no task is answered long before a
// lease would end, as Asynq counts the lease of a task from when it asked.
func TestWaitIsBounded(t *testing.T) {
	t.Parallel()
	for name, queues := range map[string][]order.Queue{
		"one queue": {order.QueueCritical}, "all queues": order.Queues(),
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			h := b.hoard(t, b.Broken)
			client := h.Client(queues...)
			var answers sync.WaitGroup
			answered := make(chan struct{})
			for range 3 { // one of them would always be answered
				answers.Go(func() {
					if _, err := dequeue(client, order.QueueCritical); err != redis.Nil { //nolint:errorlint // as Asynq compares
						t.Errorf("an empty queue answered %v", err)
					}
				})
			}
			go func() { answers.Wait(); close(answered) }()
			select {
			case <-answered:
			case <-time.After(25 * time.Second):
				t.Error("a server still waits for its answer")
				h.cancel()
				<-answered
			}
		})
	}
}

// TestFetchFaults breaks the first fetch in both ways a network can. Tasks whose fetch was
// applied without an answer, one for each slot, stay active with a lease, for recovery; all
// others are delivered once.
func TestFetchFaults(t *testing.T) {
	t.Parallel()
	const slots = 4
	for fault, lost := range map[redistest.Fault]int{redistest.NotApplied: 0, redistest.ReplyLost: slots} {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			all := b.fill(t, order.QueueDefault, 20)
			b.Breaker.Break(fault, isFetchOf(order.QueueDefault))
			var c queuetest.Collector
			b.work(t, b.Broken, workerConfig{servers: 1, slots: slots}, c.Work)
			c.Wait(t, all[lost:])
			programtest.Until(t, "only the lost tasks are active", func() bool { return slices.Equal(all[:lost], b.active()) })
			queuetest.CheckSame(t, "delivered", all[lost:], c.IDs())
			if n := b.Breaker.Fired(); n != 1 {
				t.Errorf("%d fetches were broken", n)
			}
		})
	}
}

// TestFetchAfterAnOutage checks that a worker goes on when Redis was away or restarted.
func TestFetchAfterAnOutage(t *testing.T) {
	t.Parallel()
	t.Run("away", func(t *testing.T) {
		b := open(t)
		var away atomic.Bool
		var refused atomic.Int32
		rdb := b.Server.Client()
		rdb.AddHook(redistest.Hook(func(cmds []redis.Cmder, send func() error) error {
			if !away.Load() {
				return send()
			}
			refused.Add(1)
			for _, cmd := range cmds {
				cmd.SetErr(redistest.ErrBroken)
			}
			return redistest.ErrBroken
		}))
		h := b.hoard(t, rdb)
		away.Store(true)
		want := b.fill(t, order.QueueDefault, 2)
		programtest.Until(t, "Redis is asked in vain", func() bool { return refused.Load() > 5 })
		away.Store(false)
		queuetest.CheckSame(t, "begun", want, h.twoBegun(t))
	})
	t.Run("restarted", func(t *testing.T) {
		b := open(t)
		h := b.hoard(t, b.Broken)
		b.Server.Kill()
		b.Server.Restart()
		programtest.Until(t, "Redis answers", func() bool { return b.RDB.Ping(context.Background()).Err() == nil })
		b.enqueue(t, order.QueueDefault, "o1", "o2")
		queuetest.CheckSame(t, "begun", []string{"o1", "o2"}, h.twoBegun(t))
	})
}

// TestFullRedis checks that orders are fetched, acknowledged and requeued when memory is
// full: working orders is what frees memory.
func TestFullRedis(t *testing.T) {
	b := open(t)
	want := b.fill(t, order.QueueDefault, 10)
	b.RDB.ConfigSet(t.Context(), "maxmemory", "1")
	var c queuetest.Collector
	b.work(t, b.Broken, workerConfig{servers: 1, slots: 1}, c.Work)
	c.Wait(t, want)
	programtest.Until(t, "all are acknowledged", func() bool { return b.RDB.LLen(context.Background(), keyActive).Val() == 0 })
	if left := b.RDB.Keys(t.Context(), keyTask+"*").Val(); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

// TestFetchAmongCorruptTasks checks that tasks without a readable message keep no other
// from being delivered, and stay active with a lease, for recovery.
func TestFetchAmongCorruptTasks(t *testing.T) {
	b := open(t)
	all := b.fill(t, order.QueueDefault, 6)
	b.RDB.Del(t.Context(), keyTask+all[0], keyTask+all[2])
	b.RDB.Set(t.Context(), keyTask+all[2], "no task", 0)
	b.RDB.HDel(t.Context(), keyTask+all[5], "msg")
	corrupt := []string{all[0], all[2], all[5]}
	var c queuetest.Collector
	b.work(t, b.Broken, workerConfig{servers: 1, slots: 4}, c.Work)
	c.Wait(t, []string{all[1], all[3], all[4]})
	programtest.Until(t, "only the corrupt ones are active", func() bool { return cmp.Equal(corrupt, b.active()) })
}

// TestStaleTasks checks that no server gets a task which is too old, as it may be another
// worker's by now: the machine may have been suspended between a poll and the question.
func TestStaleTasks(t *testing.T) {
	b := open(t)
	b.enqueue(t, order.QueueDefault, "o1")
	p := b.prefetcher()
	p.SetMaxAge(-time.Hour) // all tasks are
	ctx, cancel := context.WithCancel(context.Background())
	polled := make(chan struct{})
	go func() { p.Poll(ctx); close(polled) }()
	t.Cleanup(func() { cancel(); <-polled })
	if message, err := dequeue(p.Client(order.QueueDefault), order.QueueDefault); err != redis.Nil { //nolint:errorlint // as Asynq compares
		t.Errorf("a server got %q, %v", message, err)
	}
	p.SetMaxAge(time.Hour)
	programtest.Until(t, "the task is taken", func() bool {
		_, err := dequeue(p.Client(order.QueueDefault), order.QueueDefault)
		return err == nil
	})
}

// TestPace checks that the pace follows what is begun, and falls to zero with it.
func TestPace(t *testing.T) {
	p := open(t).prefetcher()
	pace := func(begun int) (pace int) {
		for range 10 {
			pace = p.MeasurePace(order.QueueDefault, begun)
		}
		return pace
	}
	if busy := pace(500); busy < 90 || busy > 100 {
		t.Errorf("500 orders in 50 ms are a pace of %d in 10 ms", busy)
	}
	if idle := pace(0); idle != 0 {
		t.Errorf("nothing begun is a pace of %d", idle)
	}
}
