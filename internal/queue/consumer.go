package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
	"orderprocessor/internal/traces"
)

// Handler works one delivery of an order.
//
// When Work returns nil, the order is taken off the queue. A *order.RetryError
// brings it back after the time it names, a *order.PermanentError archives it
// with its reason. After any other error it comes back: soon when that is
// order.ErrUnavailable, else in half a minute. Work must return soon after ctx
// is done.
type Handler interface {
	Work(ctx context.Context, orderID string) error
}

// ConsumerConfig says how much a Consumer works at once, and on what.
type ConsumerConfig struct {
	// Concurrency is how many orders the process works at once, over all lanes.
	Concurrency int
	// Lanes is how many Asynq servers share that work. They share what is fetched,
	// and each starts one order after the other.
	Lanes int
	// ReservedCritical is how many of the slots take orders of the critical
	// queue alone, in a lane of their own: weights order the asking, but a slot
	// that is busy with other work helps nobody.
	ReservedCritical int
	// Weights say how often each queue is asked first, in proportion.
	Weights map[order.Queue]int
	// Backoff is the wait before an order comes back, where the handler does
	// not say.
	Backoff Backoff
	// ShutdownTimeout is how long Run waits for the handlers to finish; then
	// their orders go back to the queue.
	ShutdownTimeout time.Duration
	// Log receives Asynq's own warnings.
	Log *slog.Logger
	// Traces makes a span for each delivery; nil makes none.
	Traces trace.TracerProvider
}

// check returns what Asynq would silently put right by itself.
func (c ConsumerConfig) check() error {
	if c.Lanes < 1 || c.ReservedCritical < 0 || c.Concurrency-c.ReservedCritical < c.Lanes {
		return fmt.Errorf("%d slots, %d of them reserved, cannot be shared by %d lanes",
			c.Concurrency, c.ReservedCritical, c.Lanes)
	}
	for _, q := range order.Queues() {
		if c.Weights[q] < 1 {
			return fmt.Errorf("queue %s has weight %d", q, c.Weights[q])
		}
	}
	return nil
}

// Consumer is the end of the queue where orders come out.
type Consumer struct {
	cfg     ConsumerConfig
	rdb     redis.UniversalClient
	ahead   *ahead
	ended   *ended
	lanes   []*asynq.Server
	handler Handler
	log     *slog.Logger
	tracer  trace.Tracer    // nil while traces are off
	base    context.Context // of all deliveries
	cancel  context.CancelFunc
	running sync.WaitGroup // deliveries
}

// NewConsumer returns a consumer on rdb, which stays the caller's to close, or
// an error when the slots cannot be shared as cfg says or the program is built with
// another version of Asynq than the one whose keys this package knows.
func NewConsumer(rdb redis.UniversalClient, cfg ConsumerConfig, h Handler) (*Consumer, error) {
	if err := errors.Join(cfg.check(), checkLayout()); err != nil {
		return nil, err
	}
	base, cancel := context.WithCancel(context.Background())
	c := &Consumer{
		cfg: cfg, rdb: rdb, handler: h, log: cfg.Log, base: base, cancel: cancel,
		ahead: newAhead(rdb, cfg.Concurrency, cfg.Log), ended: newEnded(rdb),
		tracer: traces.Tracer(cfg.Traces),
	}
	shared := cfg.Concurrency - cfg.ReservedCritical
	for i := range cfg.Lanes {
		slots := shared / cfg.Lanes
		if i < shared%cfg.Lanes {
			slots++
		}
		c.lanes = append(c.lanes, c.newLane(slots, cfg.Weights))
	}
	if cfg.ReservedCritical > 0 {
		c.lanes = append(c.lanes, c.newLane(cfg.ReservedCritical, map[order.Queue]int{order.QueueCritical: 1}))
	}
	return c, nil
}

// Run delivers orders until ctx ends, then waits until the handlers have
// finished or the shutdown timeout has passed; in that case it ends their
// context and waits a little longer. It may be called once.
func (c *Consumer) Run(ctx context.Context) error {
	defer c.cancel()
	if err := forgetDead(ctx, c.rdb); err != nil {
		c.log.DebugContext(ctx, "dead workers stay listed", "error", err)
	}
	ctx, stop := context.WithCancel(ctx)
	var fetching sync.WaitGroup
	fetching.Go(func() { c.ahead.run(ctx) })
	fetching.Go(func() { c.ahead.listen(ctx) })
	defer fetching.Wait()
	defer stop()
	for i, lane := range c.lanes {
		if err := lane.Start(asynq.HandlerFunc(c.deliver)); err != nil {
			stop()
			c.stop(c.lanes[:i])
			return fmt.Errorf("start lane %d: %w", i+1, err)
		}
	}
	<-ctx.Done()
	c.stop(c.lanes)
	c.abort()
	return nil
}

// Hold keeps the consumer from fetching orders while it is on; those it has are
// worked on. It is safe for concurrent use.
func (c *Consumer) Hold(on bool) { c.ahead.hold(on) }

// abort ends the deliveries that Asynq has given back to the queue.
func (c *Consumer) abort() {
	c.cancel()
	ended := make(chan struct{})
	go func() {
		c.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(abortTimeout):
		c.log.Warn("deliveries still run although their time is over")
	}
}

func (c *Consumer) stop(lanes []*asynq.Server) {
	var stopped sync.WaitGroup
	for _, lane := range lanes {
		stopped.Go(lane.Shutdown)
	}
	stopped.Wait()
}

// deliver hands one task to the handler and turns its verdict into Asynq's
// terms.
func (c *Consumer) deliver(ctx context.Context, task *asynq.Task) error {
	c.running.Add(1)
	defer c.running.Done()
	c.ahead.work(1)
	defer c.ahead.work(-1)
	id, ok := asynq.GetTaskID(ctx)
	if !ok || task.Type() != taskType {
		return archived{fmt.Errorf("task of type %q is no order", order.Printable(task.Type()))}
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(task.Headers()))
	err := c.work(ctx, id)
	var permanent *order.PermanentError
	var retry *order.RetryError
	switch {
	case errors.Is(err, order.ErrNotFound):
		c.log.ErrorContext(ctx, "order has a task and no record; the task is archived", "order_id", id)
		return archived{err}
	case errors.As(err, &permanent):
		return archived{err}
	case err != nil && !errors.As(err, &retry):
		c.log.WarnContext(ctx, "delivery ended without a verdict; the order comes back", "order_id", id, "error", err)
	}
	return err
}
