package queue_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
)

// wakeChannel is where producers say which queues have new tasks.
const wakeChannel = "asynq:wake"

// listeners is how many consumers listen.
func (b *bundle) listeners() int64 {
	return b.rdb.PubSubNumSub(context.Background(), wakeChannel).Val()[wakeChannel]
}

// TestWakeNames holds that the word of new tasks names the queues which have some, in
// one message for each batch, and says nothing of orders whose time has not come.
func TestWakeNames(t *testing.T) {
	b := open(t)
	heard := b.rdb.Subscribe(t.Context(), wakeChannel)
	t.Cleanup(func() { _ = heard.Close() })
	if _, err := heard.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := func(q order.Queue) order.Queue { return q + " later" }
	rows := []struct {
		queues []order.Queue
		want   string // empty for no message
	}{
		{[]order.Queue{order.QueueDefault}, "default"},
		{[]order.Queue{order.QueueLow, order.QueueCritical, order.QueueLow}, "critical,low"},
		{[]order.Queue{order.QueueLow, order.QueueDefault, order.QueueCritical}, "critical,default,low"},
		{[]order.Queue{later(order.QueueCritical), later(order.QueueLow)}, ""},
		{[]order.Queue{later(order.QueueCritical), order.QueueLow}, "low"},
	}
	var want, got []string
	for n, row := range rows {
		var records []order.Record
		for i, q := range row.queues {
			id := fmt.Sprintf("o%d-%d", n, i)
			rec := record(id, q)
			for _, known := range order.Queues() {
				if q == later(known) {
					rec = scheduled(id, known, time.Now().Add(time.Hour))
				}
			}
			records = append(records, rec)
		}
		if err := b.EnqueueAll(t.Context(), handovers(t, records)); err != nil {
			t.Fatal(err)
		}
		if row.want != "" {
			want = append(want, row.want)
		}
	}
	for range want {
		got = append(got, receive(t, "the word of new tasks", heard.Channel()).Payload)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// answers is a hook that counts the commands which match, once they are answered.
type answers struct{ counter }

// ProcessHook implements redis.Hook.
func (a *answers) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if a.match(cmd) && err == nil {
			a.n.Add(1)
		}
		return err
	}
}

// waiting asks for the tasks of a queue until there is one, as an idle lane does, and
// returns once the queue has been found empty.
func (b *bundle) waiting(t *testing.T, c *queue.Consumer, fetched *answers, q order.Queue) (message <-chan string) {
	t.Helper()
	got := make(chan string, 1)
	lane := c.Lane(q)
	go func() {
		for t.Context().Err() == nil {
			if text, err := dequeue(lane, q); err == nil {
				got <- text
				return
			}
		}
	}()
	eventually(t, "the queue was found empty", func() bool { return fetched.n.Load() > 0 })
	return got
}

// TestWake holds that the word of new tasks is enough to begin them: the consumer of
// this test does not look by itself. It hears again after its connection was lost.
func TestWake(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(t *testing.T, b *bundle){
		"connected": func(*testing.T, *bundle) {},
		"connected again": func(t *testing.T, b *bundle) {
			t.Helper()
			if n, err := b.rdb.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Int(); n != 1 || err != nil {
				t.Fatalf("%d listeners were cut off, %v", n, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			fetched := &answers{counter{match: fetches}}
			b.broken.AddHook(fetched)
			c := b.idle(t, b.broken)
			ctx, cancel := context.WithCancel(context.Background())
			listened := make(chan struct{})
			go func() {
				defer close(listened)
				c.Listen(ctx)
			}()
			t.Cleanup(func() { cancel(); <-listened })
			stopAhead(t, c)
			eventually(t, "the consumer listens", func() bool { return b.listeners() == 1 })
			message := b.waiting(t, c, fetched, order.QueueCritical)
			disturb(t, b)
			n := 0
			eventually(t, "a task is taken", func() bool { // a new connection may break again
				n++
				b.fill(t, order.QueueCritical, n)
				return len(message) > 0
			})
		})
	}
}

// stopAhead lets whoever still waits for tasks go at the end of the test.
func stopAhead(t *testing.T, c *queue.Consumer) {
	t.Helper()
	t.Cleanup(func() {
		ended, end := context.WithCancel(context.Background())
		end()
		c.Look(ended)
	})
}

// TestOtherWords holds that what does not name the queue wakes nobody, and harms
// nobody.
func TestOtherWords(t *testing.T) {
	b := open(t)
	fetched := &answers{counter{match: fetches}}
	b.broken.AddHook(fetched)
	c := b.idle(t, b.broken)
	ctx, cancel := context.WithCancel(context.Background())
	listened := make(chan struct{})
	go func() {
		defer close(listened)
		c.Listen(ctx)
	}()
	t.Cleanup(func() { cancel(); <-listened })
	stopAhead(t, c)
	eventually(t, "the consumer listens", func() bool { return b.listeners() == 1 })
	message := b.waiting(t, c, fetched, order.QueueCritical)
	b.enqueue(t, order.QueueCritical, "o1") // says nothing
	for _, word := range []string{"", ",", "low,default", "criticality", "un\xffreadable", "default,uncritical"} {
		must(t, b.rdb.Publish(t.Context(), wakeChannel, word).Err())
	}
	never(t, "the queue was looked into", func() bool { return len(message) > 0 })
	must(t, b.rdb.Publish(t.Context(), wakeChannel, "other,critical").Err())
	receive(t, "the task", message)
}

// TestLook holds that what nobody has announced is found all the same: the consumer
// of this test does not listen.
func TestLook(t *testing.T) {
	b := open(t)
	fetched := &answers{counter{match: fetches}}
	b.broken.AddHook(fetched)
	c := b.idle(t, b.broken)
	ctx, cancel := context.WithCancel(context.Background())
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		c.Look(ctx)
	}()
	t.Cleanup(func() { cancel(); <-looked })
	message := b.waiting(t, c, fetched, order.QueueLow)
	b.enqueue(t, order.QueueLow, "o1")
	receive(t, "the task", message)
}

// TestIdleLanes holds that idle lanes share their looks, so that Redis is asked about as
// often however many there are, and that each waits meanwhile instead of asking on.
func TestIdleLanes(t *testing.T) {
	b := open(t)
	fetched := &answers{counter{match: fetches}}
	b.broken.AddHook(fetched)
	c := b.idle(t, b.broken)
	ctx, cancel := context.WithCancel(context.Background())
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		c.Look(ctx)
	}()
	t.Cleanup(func() { cancel(); <-looked })
	const lanes, looks = 8, 5
	var asked atomic.Int32
	var all sync.WaitGroup
	for range lanes {
		lane := c.Lane(order.Queues()...)
		all.Go(func() {
			for fetched.n.Load() < int32(looks*len(order.Queues())) {
				for _, q := range order.Queues() {
					_, _ = dequeue(lane, q)
					asked.Add(1)
				}
			}
		})
	}
	begun := time.Now()
	all.Wait()
	// A look may come late, but not early.
	if n := int(fetched.n.Load()); time.Since(begun) < looks*time.Second/20 {
		t.Errorf("%d idle lanes fetched %d times in %v", lanes, n, time.Since(begun))
	}
	if n := asked.Load(); n > 4*lanes*looks*int32(len(order.Queues())) {
		t.Errorf("%d idle lanes asked %d times while Redis was looked into %d times", lanes, n, looks)
	}
}
