package prefetch_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/queue/queuetest"
)

const wakeChannel = "asynq:wake"

// idleServer is a server of one queue that was found empty, on a prefetcher that runs in
// part.
type idleServer struct {
	*prefetch.Prefetcher
	message <-chan string // of the first task that it gets
}

// idle starts run, a part of Prefetcher.Run, and a server that asks for tasks of q.
func (b *bundle) idle(t *testing.T, q order.Queue, run func(*prefetch.Prefetcher, context.Context)) *idleServer {
	t.Helper()
	fetches := countAnswered(b.Broken, isFetch)
	p := b.prefetcher()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { run(p, ctx) })
	message := make(chan string, 1)
	running.Go(func() {
		for client := p.Client(q); ctx.Err() == nil; {
			if text, err := dequeue(client, q); err == nil {
				message <- text
				return
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		p.Poll(ctx) // ends the wait of the server
		running.Wait()
	})
	programtest.Until(t, "the queue is found empty", func() bool { return fetches.Load() > 0 })
	return &idleServer{Prefetcher: p, message: message}
}

func (b *bundle) awaitListener(t *testing.T) {
	t.Helper()
	programtest.Until(t, "the prefetcher listens", func() bool {
		return b.RDB.PubSubNumSub(context.Background(), wakeChannel).Val()[wakeChannel] == 1
	})
}

// TestWake checks that an announcement is enough to take new tasks: the prefetcher does not
// poll here. It listens again after its connection was lost.
func TestWake(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(t *testing.T, b *bundle){
		"connected": func(*testing.T, *bundle) {},
		"connected again": func(t *testing.T, b *bundle) {
			if n, err := b.RDB.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Int(); n != 1 || err != nil {
				t.Fatalf("%d listeners were cut off, %v", n, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			s := b.idle(t, order.QueueCritical, (*prefetch.Prefetcher).Listen)
			b.awaitListener(t)
			disturb(t, b)
			n := 0
			programtest.Until(t, "a task is taken", func() bool { // announcements are lost until it listens again
				n++
				b.send(t, order.QueueCritical, fmt.Sprint("o", n))
				return len(s.message) > 0
			})
		})
	}
}

// TestOtherAnnouncements checks that a message which does not name the queue wakes nobody.
func TestOtherAnnouncements(t *testing.T) {
	b := open(t)
	s := b.idle(t, order.QueueCritical, (*prefetch.Prefetcher).Listen)
	b.awaitListener(t)
	b.enqueue(t, order.QueueCritical, "o1") // not announced
	for _, message := range []string{"", ",", "low,default", "criticality", "un\xffreadable", "default,uncritical"} {
		queuetest.Must(t, b.RDB.Publish(t.Context(), wakeChannel, message).Err())
	}
	queuetest.Never(t, "a task was taken", func() bool { return len(s.message) > 0 })
	queuetest.Must(t, b.RDB.Publish(t.Context(), wakeChannel, "other,critical").Err())
	queuetest.Receive(t, "the task", s.message)
}

// TestPoll checks that a task is found that was not announced: the prefetcher does not
// listen here.
func TestPoll(t *testing.T) {
	b := open(t)
	s := b.idle(t, order.QueueLow, (*prefetch.Prefetcher).Poll)
	b.enqueue(t, order.QueueLow, "o1")
	queuetest.Receive(t, "the task", s.message)
}

// TestIdleServers checks that idle servers share their polls, so that Redis is asked about
// as often however many there are, that none fetches from a queue that is empty, and that
// each waits meanwhile instead of asking on.
func TestIdleServers(t *testing.T) {
	b := open(t)
	fetches := countAnswered(b.Broken, isFetch)
	polled := countAnswered(b.Broken, func(cmd redis.Cmder) bool { return cmd.Name() == "llen" })
	s := b.idle(t, order.QueueLow, (*prefetch.Prefetcher).Poll)
	const servers, polls = 8, 5
	queues := order.Queues()
	var asked atomic.Int32
	var all sync.WaitGroup
	begun := time.Now()
	for range servers {
		client := s.Client(slices.Clone(queues)...)
		all.Go(func() {
			for polled.Load() < polls {
				for _, q := range queues {
					_, _ = dequeue(client, q)
					asked.Add(1)
				}
			}
		})
	}
	all.Wait()
	// A poll may come late, but not early.
	if n := polled.Load(); time.Since(begun) < polls*time.Second/20 {
		t.Errorf("%d idle servers polled %d times in %v", servers, n, time.Since(begun))
	}
	if n := int(fetches.Load()); n > len(queues) {
		t.Errorf("%d idle servers fetched %d times from %d empty queues", servers, n, len(queues))
	}
	if n := int(asked.Load()); n > 4*servers*polls*len(queues) {
		t.Errorf("%d idle servers asked %d times during %d polls", servers, n, polls)
	}
}
