package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/traces"
)

const (
	// earlierRunTimeout bounds the wait for a worker to acknowledge the earlier run of
	// an order, which takes milliseconds: one second. Recovery finds what is left.
	earlierRunTimeout = time.Second
	// earlierRunLook is the time between two looks.
	earlierRunLook = 5 * time.Millisecond
)

// EnqueueAll is Enqueue for many orders, whose tasks travel to Redis together, each
// with the trace of its origin. It returns an error when one or more of them could
// not be queued, order.ErrUnavailable when Redis could not be asked: then any of the
// orders may have no task.
func (p *Producer) EnqueueAll(ctx context.Context, waiting []order.Handover) error {
	if len(waiting) == 0 {
		return nil
	}
	waiting, spans := p.publish(waiting)
	defer spans.end()
	var held outbox
	holding := context.WithValue(ctx, outboxKey{}, &held)
	for _, h := range waiting {
		if _, err := p.Enqueue(traces.WithContext(holding, h.Trace), h.Record); err != nil {
			return err
		}
	}
	added := held.send(ctx, p.rdb, func(pipe redis.Pipeliner) { announce(ctx, pipe, waiting) })
	var failed []error
	for i, h := range waiting {
		if len(added) == len(waiting) && added[i] {
			continue
		}
		// There is a task already, or Redis could not be asked: by itself, the order
		// meets the same again.
		err := p.again(traces.WithContext(ctx, h.Trace), h)
		if errors.Is(err, order.ErrUnavailable) {
			spans.fail(i, len(waiting), err)
			return fmt.Errorf("enqueue %d orders: %w", len(waiting), err)
		}
		spans.fail(i, i+1, err)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// again adds the task of an order whose id had one already. It returns
// order.ErrUnavailable also when a worker does not acknowledge the earlier run in time.
func (p *Producer) again(ctx context.Context, h order.Handover) error {
	if !h.NewRun {
		_, err := p.Enqueue(ctx, h.Record)
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, earlierRunTimeout)
	defer cancel()
	look := time.NewTicker(earlierRunLook)
	defer look.Stop()
	for {
		free, err := p.clear(ctx, h.Record)
		if err != nil {
			return err
		}
		if free {
			_, err := p.Enqueue(ctx, h.Record)
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("enqueue order %s: a worker still holds its earlier run: %w", h.Record.ID, order.ErrUnavailable)
		}
	}
}

// clear removes a task that an earlier run has left to wait, and reports whether none
// is with a worker any more.
func (p *Producer) clear(ctx context.Context, rec order.Record) (free bool, err error) {
	task, err := p.task(ctx, rec)
	switch {
	case err != nil || task == nil:
		return err == nil, err
	case task.State == asynq.TaskStateActive:
		return false, nil
	case task.State == asynq.TaskStateRetry:
		return true, p.remove(ctx, rec)
	default:
		return true, nil // Enqueue replaces what would not be worked
	}
}
