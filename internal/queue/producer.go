package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/propagation"

	"orderprocessor/internal/order"
)

// ProducerConfig says how the tasks of a Producer may be worked.
type ProducerConfig struct {
	// MaxAttempts is how many attempts an order may have, at least one.
	MaxAttempts int
	// AttemptTimeout bounds one attempt; Asynq counts it in whole seconds.
	AttemptTimeout time.Duration
}

// Producer is the end of the queue where orders go in. It is safe for
// concurrent use.
type Producer struct {
	client *asynq.Client
	opts   []asynq.Option
}

// NewProducer returns a producer on rdb, which stays the caller's to close.
func NewProducer(rdb redis.UniversalClient, cfg ProducerConfig) *Producer {
	return &Producer{
		client: asynq.NewClientFromRedisClient(rdb),
		opts: []asynq.Option{
			// The ledger counts the attempts and ends an order that has used
			// them up. Asynq counts those that failed, and its limit is one
			// higher, so that it never archives a task without asking.
			asynq.MaxRetry(cfg.MaxAttempts),
			asynq.Timeout(cfg.AttemptTimeout + taskGrace),
		},
	}
}

// Enqueue puts the order's task into the record's queue and says whether it
// had none before. The task is named after the order, so repeating Enqueue
// while the task exists adds nothing. The trace of ctx travels with the task.
// It returns order.ErrUnavailable when Redis could not be asked.
func (p *Producer) Enqueue(ctx context.Context, rec order.Record) (added bool, err error) {
	payload, err := encodePayload(rec)
	if err != nil {
		return false, err
	}
	headers := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, headers)
	task := asynq.NewTaskWithHeaders(taskType, payload, headers, p.opts...)
	_, err = p.client.EnqueueContext(ctx, task, asynq.TaskID(rec.ID), asynq.Queue(string(rec.Queue)))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, asynq.ErrTaskIDConflict):
		return false, nil
	default:
		return false, fmt.Errorf("enqueue order %s: %w: %w", rec.ID, order.ErrUnavailable, err)
	}
}
