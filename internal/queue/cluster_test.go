package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// TestClusterWithoutANode checks that a worker works the orders of all books but those of a
// Redis Cluster node that hangs, also those that are due later, and the others once it
// answers. The node is the one that has the list of all servers.
func TestClusterWithoutANode(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	rdb := cluster.Client()
	producer := queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: attemptTimeout, Books: books})
	cfg := config()
	cfg.Books, cfg.Concurrency, cfg.Servers, cfg.ReservedCritical = books, 8, 2, 1
	var mu sync.Mutex
	begun := map[string]time.Time{}
	var done queuetest.Collector
	c, err := queue.NewConsumer(rdb, cfg, handler(func(ctx context.Context, id string) error {
		mu.Lock()
		defer mu.Unlock()
		if _, again := begun[id]; !again && id[0] == 'r' {
			begun[id] = time.Now()
			return &order.RetryError{After: time.Millisecond, Err: errors.New("shop answered 500")}
		}
		begun[id] = time.Now()
		return done.Work(ctx, id)
	}))
	queuetest.Must(t, err)
	cancel, ended := run(t, c)
	defer func() { cancel(); <-ended }()

	away := cluster.Owner("asynq:servers")
	isAway := map[order.Queue]bool{}
	for _, name := range queue.Names(books) {
		isAway[order.Queue(name)] = cluster.Owner("asynq:{"+name+"}:pending") == away
	}
	var here, there []order.Record
	for n := range 300 {
		id := fmt.Sprint("o", n)
		if n%10 == 0 {
			id = fmt.Sprint("r", n)
		}
		rec := record(id, order.Queues()[n%3])
		if isAway[inBook(rec.Queue, id)] {
			there = append(there, rec)
		} else {
			here = append(here, rec)
		}
	}
	there = there[:20]
	c.Hold(true)
	queuetest.Must(t, producer.EnqueueAll(t.Context(), handovers(t, slices.Concat(here[:20], there))))
	replica := cluster.Replicas(away)[0]
	replica.Freeze()
	away.Freeze()
	c.Hold(false)
	var late []time.Duration
	for _, rec := range here[20:] {
		sent := time.Now()
		queuetest.Must(t, producer.EnqueueAll(t.Context(), handovers(t, []order.Record{rec})))
		var at time.Time
		programtest.Until(t, "the order is begun", func() bool {
			mu.Lock()
			defer mu.Unlock()
			at = begun[rec.ID]
			return !at.IsZero()
		})
		late = append(late, at.Sub(sent))
	}
	want := func(records ...order.Record) (ids []string) {
		for _, rec := range records {
			ids = append(ids, rec.ID)
		}
		return ids
	}
	programtest.Until(t, "the orders of the other nodes are worked", func() bool {
		return !slices.ContainsFunc(want(here...), func(id string) bool { return !slices.Contains(done.IDs(), id) })
	})
	slices.Sort(late)
	t.Logf("pickup p50 %v p99 %v max %v", late[len(late)/2], late[len(late)*99/100], late[len(late)-1])
	away.Thaw()
	replica.Thaw()
	programtest.Until(t, "all orders are worked", func() bool {
		return !slices.ContainsFunc(want(there...), func(id string) bool { return !slices.Contains(done.IDs(), id) })
	})
}
