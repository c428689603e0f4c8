package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/traces"
)

// ProducerConfig configures a Producer.
type ProducerConfig struct {
	// Books is how many books the orders are spread over; 0 is 1.
	Books int
	// AttemptTimeout bounds one attempt; Asynq counts it in whole seconds.
	AttemptTimeout time.Duration
	// Log receives a warning when Asynq is a version that is not known; nil drops it.
	Log *slog.Logger
	// Traces makes a span for each order that EnqueueAll enqueues; nil makes none.
	Traces trace.TracerProvider
}

// Producer enqueues orders. It is safe for concurrent use.
type Producer struct {
	rdb     redis.UniversalClient
	names   names
	client  *asynq.Client
	asynq   *asynq.Inspector
	opts    []asynq.Option
	batches bool         // EnqueueAll sends tasks together
	tracer  trace.Tracer // nil while traces are off
}

// NewProducer returns a producer on rdb, which stays the caller's to close. Unless
// Asynq is the version that package prefetch knows, EnqueueAll enqueues one order at a
// time.
func NewProducer(rdb redis.UniversalClient, cfg ProducerConfig) *Producer {
	return newProducer(rdb, cfg, prefetch.Supported())
}

func newProducer(rdb redis.UniversalClient, cfg ProducerConfig, unsupported error) *Producer {
	client, batches := rdb, unsupported == nil
	if batches && cfg.Books > 1 {
		client = prefetch.AllQueuesKnown(client)
	}
	if batches {
		client = prefetch.NewClient(client)
	} else if cfg.Log != nil {
		cfg.Log.Warn("this version of Asynq is not known: orders are enqueued one at a time", "error", unsupported)
	}
	return &Producer{
		rdb:     rdb,
		client:  asynq.NewClientFromRedisClient(client),
		names:   newNames(cfg.Books),
		asynq:   newAsynqInspector(rdb, cfg.Books),
		opts:    []asynq.Option{asynq.MaxRetry(taskRetries), asynq.Timeout(cfg.AttemptTimeout + taskGrace)},
		batches: batches,
		tracer:  traces.Tracer(cfg.Traces),
	}
}

// Enqueue adds the order's task to the record's queue, in the order's book, and reports whether there was none
// before. The task is named after the order, so repeating Enqueue while it exists adds
// nothing. A task that would never be worked, or at another time than the order's, is
// replaced; the order must not be settled. The trace of ctx travels with the task. The
// task of a scheduled order waits for its time. It returns order.ErrCorrupt when the
// order has a task that cannot be read, and order.ErrUnavailable when Redis did not
// answer.
func (p *Producer) Enqueue(ctx context.Context, rec order.Record) (added bool, err error) {
	payload, err := encodePayload(rec)
	if err != nil {
		return false, err
	}
	task := asynq.NewTaskWithHeaders(taskType, payload, traceHeaders(ctx), p.opts...)
	added, err = p.add(ctx, task, rec)
	if err != nil || added {
		return added, err
	}
	if held, err := p.Holds(ctx, rec); err != nil || held {
		return false, err
	}
	if err := p.remove(ctx, rec); err != nil {
		return false, err
	}
	return p.add(ctx, task, rec)
}

// traceHeaders returns the headers of a task that carry the trace of ctx, if any.
func traceHeaders(ctx context.Context) map[string]string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return nil
	}
	headers := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, headers)
	return headers
}

func (p *Producer) add(ctx context.Context, task *asynq.Task, rec order.Record) (added bool, err error) {
	opts := []asynq.Option{asynq.TaskID(rec.ID), asynq.Queue(p.names.of(rec.Queue, rec.ID))}
	if rec.Status == order.StatusScheduled {
		opts = append(opts, asynq.ProcessAt(dueAt(rec)))
	}
	_, err = p.client.EnqueueContext(ctx, task, opts...)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, asynq.ErrTaskIDConflict):
		return false, nil
	default:
		return false, fmt.Errorf("enqueue order %s: %w: %w", rec.ID, order.ErrUnavailable, err)
	}
}

// Withdraw removes the task of a cancelled order if it waits for its time or its next
// attempt, which may be far away. Any other task may stay: the worker that gets it finds
// the order cancelled. It returns order.ErrCorrupt when the task cannot be read, and
// order.ErrUnavailable when Redis did not answer.
func (p *Producer) Withdraw(ctx context.Context, rec order.Record) error {
	task, err := p.task(ctx, rec)
	if err != nil || task == nil {
		return err
	}
	if task.State != asynq.TaskStateScheduled && task.State != asynq.TaskStateRetry {
		return nil
	}
	return p.remove(ctx, rec)
}

// Holds reports whether the order has a task that will be worked: one that is neither
// archived nor waits for another time than the order's. An id may be used again while a
// task of the cancelled order that had it before still waits. It returns order.ErrCorrupt
// when the task cannot be read, and order.ErrUnavailable when Redis did not answer.
func (p *Producer) Holds(ctx context.Context, rec order.Record) (bool, error) {
	task, err := p.task(ctx, rec)
	if err != nil || task == nil {
		return false, err
	}
	switch task.State {
	case asynq.TaskStateArchived:
		return false, nil
	case asynq.TaskStateScheduled:
		return rec.Status == order.StatusScheduled && task.NextProcessAt.Unix() == dueAt(rec).Unix(), nil
	default:
		return true, nil
	}
}

// dueAt is when Asynq must make the task of a scheduled order pending.
func dueAt(rec order.Record) time.Time { return rec.ProcessAt.Add(toNextSecond) }

// task returns the order's task, nil when there is none.
func (p *Producer) task(ctx context.Context, rec order.Record) (*asynq.TaskInfo, error) {
	info, err := findTask(ctx, p.asynq, p.names.of(rec.Queue, rec.ID), rec.ID)
	if errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound) {
		return nil, nil //nolint:nilnil // no task is an answer
	}
	return info, err
}

func (p *Producer) remove(ctx context.Context, rec order.Record) error {
	_, err := withContext(ctx, func() (struct{}, error) { return struct{}{}, p.asynq.DeleteTask(p.names.of(rec.Queue, rec.ID), rec.ID) })
	if err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
		return fmt.Errorf("remove task of order %s: %w: %w", rec.ID, order.ErrUnavailable, err)
	}
	return nil
}
