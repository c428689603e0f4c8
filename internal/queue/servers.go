package queue

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
)

const (
	// plainPoll is the mean wait of a plain server between two questions to empty queues,
	// so how late an idle worker begins an order.
	plainPoll = 250 * time.Millisecond
	// prefetchPoll is the same for a prefetching server, which waits while it asks.
	prefetchPoll = time.Millisecond
)

// servers are the Asynq servers that share the slots of a worker.
type servers struct {
	all     []*asynq.Server
	base    context.Context // of all deliveries
	cancel  context.CancelFunc
	running sync.WaitGroup // deliveries
	log     *slog.Logger
}

func (c *Consumer) newServers() *servers {
	s := &servers{log: c.cfg.Log}
	s.base, s.cancel = context.WithCancel(context.Background())
	shared := c.cfg.Concurrency - c.cfg.ReservedCritical
	for i := range c.cfg.Servers {
		slots := shared / c.cfg.Servers
		if i < shared%c.cfg.Servers {
			slots++
		}
		s.all = append(s.all, c.newServer(s.base, slots, c.cfg.Weights))
	}
	if c.cfg.ReservedCritical > 0 {
		critical := map[order.Queue]int{order.QueueCritical: 1}
		s.all = append(s.all, c.newServer(s.base, c.cfg.ReservedCritical, critical))
	}
	return s
}

func (c *Consumer) newServer(base context.Context, slots int, weights map[order.Queue]int) *asynq.Server {
	named := map[string]int{}
	for q, w := range weights {
		queues := c.names.each[q]
		if c.prefetch != nil { // which knows the books
			queues = []string{string(q)}
		}
		for _, queue := range queues {
			named[queue] = w
		}
	}
	client, poll := c.rdb, plainPoll
	if c.prefetch != nil {
		client, poll = c.prefetch.Client(slices.Collect(maps.Keys(weights))...), prefetchPoll
	}
	return asynq.NewServerFromRedisClient(client, asynq.Config{
		Concurrency:              slots,
		Queues:                   named,
		BaseContext:              func() context.Context { return base },
		TaskCheckInterval:        poll,
		DelayedTaskCheckInterval: forwardInterval,
		RetryDelayFunc:           c.cfg.Backoff.retryDelay,
		IsFailure:                isFailure,
		ShutdownTimeout:          c.cfg.ShutdownTimeout,
		Logger:                   newLogger(c.cfg.Log),
		LogLevel:                 asynq.WarnLevel,
	})
}

func (s *servers) start(deliver asynq.HandlerFunc) error {
	counted := func(ctx context.Context, task *asynq.Task) error {
		s.running.Add(1)
		defer s.running.Done()
		growStack()
		return deliver(ctx, task)
	}
	for i, server := range s.all {
		if err := server.Start(asynq.HandlerFunc(counted)); err != nil {
			return fmt.Errorf("start server %d of %d: %w", i+1, len(s.all), err)
		}
	}
	return nil
}

// growStack makes the stack of the goroutine, which Asynq starts for each task, as large as
// a delivery needs. Otherwise it grows step by step within the delivery, and all frames are
// copied at each step: a tenth of a worker's processor time.
//
//go:noinline
func growStack() {
	var room [12 << 10]byte
	runtime.KeepAlive(&room)
}

// stop shuts the servers down. Deliveries that outlast the shutdown timeout, whose orders
// Asynq has requeued, are cancelled and may take abortTimeout to end.
func (s *servers) stop() {
	var stopping sync.WaitGroup
	for _, server := range s.all {
		stopping.Go(server.Shutdown)
	}
	stopping.Wait()
	s.cancel()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(abortTimeout):
		s.log.Warn("orders are still being worked after the shutdown timeout")
	}
}
