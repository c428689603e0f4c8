package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/traces"
)

// Handler works one delivery of an order.
//
// When Work returns nil, the order's task is acknowledged. After a *order.RetryError the
// order is delivered again after the time it names; after a *order.PermanentError its task
// is archived with the reason. After any other error it is delivered again: soon when that
// is order.ErrUnavailable, else in half a minute. Work must return soon after ctx is done.
type Handler interface {
	Work(ctx context.Context, orderID string) error
}

// ConsumerConfig configures a Consumer.
type ConsumerConfig struct {
	// Books is how many books the orders are spread over; 0 is 1.
	Books int
	// Concurrency is how many orders the process works at once: its slots.
	Concurrency int
	// Servers is how many Asynq servers share the slots that are not reserved. Each
	// starts one order after the other.
	Servers int
	// ReservedCritical is how many slots take orders of the critical queue alone, on a
	// server of their own. Weights cannot free a busy slot, so critical orders need
	// slots of their own.
	ReservedCritical int
	// Weights are how often each queue is asked first, in proportion.
	Weights map[order.Queue]int
	// Prefetch fetches and acknowledges many orders at a time, if Asynq is the version
	// that package prefetch knows. Otherwise plain Asynq servers do the same work. With
	// several books they ask each of them in turn, which costs more, and wait for one
	// that is away.
	Prefetch bool
	// Backoff is the wait before an order is delivered again, where the handler does not
	// name one.
	Backoff Backoff
	// ShutdownTimeout is how long Run waits for the handlers to finish; then their orders
	// are requeued.
	ShutdownTimeout time.Duration
	// Log receives warnings, those of Asynq too.
	Log *slog.Logger
	// Traces makes a span for each delivery; nil makes none.
	Traces trace.TracerProvider
}

// check returns an error for what Asynq would silently change.
func (c ConsumerConfig) check() error {
	if c.Servers < 1 || c.ReservedCritical < 0 || c.Concurrency-c.ReservedCritical < c.Servers {
		return fmt.Errorf("%d slots, %d of them reserved, cannot be shared by %d servers",
			c.Concurrency, c.ReservedCritical, c.Servers)
	}
	for _, q := range order.Queues() {
		if c.Weights[q] < 1 {
			return fmt.Errorf("queue %s has weight %d", q, c.Weights[q])
		}
	}
	return nil
}

// Consumer delivers orders to a Handler.
type Consumer struct {
	cfg       ConsumerConfig
	names     names
	rdb       redis.UniversalClient
	handler   Handler
	tracer    trace.Tracer         // nil while traces are off
	supported bool                 // Asynq's keys are known
	prefetch  *prefetch.Prefetcher // nil with plain servers
	held      *hold                // heeded by plain servers
	turns     *turns               // likewise
	running   atomic.Int64         // deliveries
}

// NewConsumer returns a consumer on rdb, which stays the caller's to close, or an error
// when the slots cannot be shared as configured. With a version of Asynq that package
// prefetch does not know, it logs a warning and uses plain servers.
func NewConsumer(rdb redis.UniversalClient, cfg ConsumerConfig, h Handler) (*Consumer, error) {
	return newConsumer(rdb, cfg, h, prefetch.Supported())
}

func newConsumer(rdb redis.UniversalClient, cfg ConsumerConfig, h Handler, unsupported error) (*Consumer, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Consumer{cfg: cfg, names: newNames(cfg.Books), rdb: rdb, handler: h, tracer: traces.Tracer(cfg.Traces), supported: unsupported == nil, held: newHold(), turns: newTurns()}
	if unsupported != nil {
		cfg.Log.Warn("this version of Asynq is not known: plain Asynq servers are used, and Asynq's own recovery within 90 seconds", "error", unsupported)
	}
	if cfg.Prefetch && c.supported {
		c.prefetch = prefetch.New(rdb, prefetch.Config{
			Slots: cfg.Concurrency, Names: c.names.each, Running: func() int { return int(c.running.Load()) }, Log: cfg.Log,
			Requeue: func(ctx context.Context, queue string, tasks []prefetch.Task) error {
				_, err := requeue(ctx, rdb, queue, tasks)
				return err
			},
		})
	}
	return c, nil
}

// Run delivers orders until ctx ends, then waits until the handlers have finished or the
// shutdown timeout has passed; in that case it cancels their context and waits a little
// longer. It may be called once.
func (c *Consumer) Run(ctx context.Context) error {
	if c.supported {
		if err := forgetDead(ctx, c.rdb); err != nil {
			c.cfg.Log.DebugContext(ctx, "dead workers stay listed", "error", err)
		}
	}
	if c.prefetch == nil {
		return c.runPlain(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	var prefetching sync.WaitGroup
	prefetching.Go(func() { c.prefetch.Run(ctx) })
	defer prefetching.Wait()
	defer cancel()
	return c.serve(func() { <-ctx.Done() })
}

// runPlain serves on plain servers except while the consumer is held. An asynq.Server
// cannot be started again, so each time they are new ones.
func (c *Consumer) runPlain(ctx context.Context) error {
	for c.held.await(ctx, false) {
		if err := c.serve(func() { c.held.await(ctx, true) }); err != nil {
			return err
		}
	}
	return nil
}

// serve starts servers, and shuts them down when wait returns.
func (c *Consumer) serve(wait func()) error {
	s := c.newServers()
	defer s.stop()
	if err := s.start(c.deliver); err != nil {
		return err
	}
	c.turns.stop(false)
	defer c.turns.stop(true)
	wait()
	return nil
}

// Hold keeps the consumer from taking orders while it is on; those it works are finished.
// It returns at once and is safe for concurrent use. Plain servers may move due tasks on
// until the orders being worked are finished, at most for the shutdown timeout.
func (c *Consumer) Hold(on bool) {
	c.held.set(on)
	if c.prefetch != nil {
		c.prefetch.Hold(on)
	}
}

// deliver hands one task to the handler and translates its verdict for Asynq.
func (c *Consumer) deliver(ctx context.Context, task *asynq.Task) error {
	if err := c.turns.take(ctx); err != nil {
		return err
	}
	c.running.Add(1)
	defer c.running.Add(-1)
	id, ok := asynq.GetTaskID(ctx)
	if !ok || task.Type() != taskType {
		return archived{fmt.Errorf("task of type %q is not an order", order.Printable(task.Type()))}
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(task.Headers()))
	err := c.work(ctx, id)
	var permanent *order.PermanentError
	var retry *order.RetryError
	switch {
	case errors.Is(err, order.ErrNotFound):
		c.cfg.Log.ErrorContext(ctx, "order has a task and no record; the task is archived", "order_id", id)
		return archived{err}
	case errors.As(err, &permanent):
		return archived{err}
	case err != nil && !errors.As(err, &retry):
		c.cfg.Log.WarnContext(ctx, "delivery ended without a verdict; the order is delivered again", "order_id", id, "error", err)
	}
	return err
}
