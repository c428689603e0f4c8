package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/traces"
)

const (
	// earlierRunTimeout bounds the wait for a worker to acknowledge the earlier run of an
	// order, which takes milliseconds. Recovery enqueues what is left.
	earlierRunTimeout = time.Second
	// earlierRunPoll is how often the task of the earlier run is checked.
	earlierRunPoll = 5 * time.Millisecond
)

// EnqueueAll is Enqueue for many orders, whose tasks are sent to Redis together, each
// with the trace of its origin. It returns an error when one or more of them could not be
// enqueued; when that is order.ErrUnavailable, any of the orders may have no task.
func (p *Producer) EnqueueAll(ctx context.Context, waiting []order.Handover) error {
	if len(waiting) == 0 {
		return nil
	}
	waiting, spans := p.startSpans(waiting)
	defer spans.end()
	added, err := p.enqueueBatch(ctx, waiting)
	if err != nil {
		return err
	}
	var failed []error
	for i, h := range waiting {
		if added[i] {
			continue
		}
		err := p.enqueueOne(traces.WithContext(ctx, h.Trace), h)
		if errors.Is(err, order.ErrUnavailable) {
			spans.fail(i, len(waiting), err)
			return fmt.Errorf("enqueue %d orders: %w", len(waiting), err)
		}
		spans.fail(i, i+1, err)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// enqueueBatch sends the tasks of all orders together and reports which are known to be
// added: the others have a task already, or Redis did not answer.
func (p *Producer) enqueueBatch(ctx context.Context, waiting []order.Handover) (added []bool, err error) {
	if !p.batches {
		return make([]bool, len(waiting)), nil
	}
	collecting, batch := prefetch.NewBatch(ctx)
	for _, h := range waiting {
		if _, err := p.Enqueue(traces.WithContext(collecting, h.Trace), h.Record); err != nil {
			return nil, err
		}
	}
	return batch.Send(ctx, p.rdb, p.pendingQueues(waiting)), nil
}

// pendingQueues returns Asynq's queues that get a task which may be worked at once.
func (p *Producer) pendingQueues(waiting []order.Handover) []string {
	pending := map[string]bool{}
	for _, h := range waiting {
		if h.Record.Status != order.StatusScheduled {
			pending[p.names.of(h.Record.Queue, h.Record.ID)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(p.names.all), func(queue string) bool { return !pending[queue] })
}

// enqueueOne enqueues one order, which may have a task. For a new run it waits until no
// worker holds the task of the earlier run any more, and returns order.ErrUnavailable
// when that takes too long.
func (p *Producer) enqueueOne(ctx context.Context, h order.Handover) error {
	if !h.NewRun {
		_, err := p.Enqueue(ctx, h.Record)
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, earlierRunTimeout)
	defer cancel()
	poll := time.NewTicker(earlierRunPoll)
	defer poll.Stop()
	for {
		gone, err := p.clearEarlierRun(ctx, h.Record)
		if err != nil {
			return err
		}
		if gone {
			_, err := p.Enqueue(ctx, h.Record)
			return err
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("enqueue order %s: a worker still holds its earlier run: %w", h.Record.ID, order.ErrUnavailable)
		}
	}
}

// clearEarlierRun removes a task that waits for the next attempt of the earlier run, and
// reports whether no worker holds the earlier run.
func (p *Producer) clearEarlierRun(ctx context.Context, rec order.Record) (gone bool, err error) {
	task, err := p.task(ctx, rec)
	switch {
	case err != nil || task == nil:
		return err == nil, err
	case task.State == asynq.TaskStateActive:
		return false, nil
	case task.State == asynq.TaskStateRetry:
		return true, p.remove(ctx, rec)
	default:
		return true, nil // Enqueue replaces a task that would not be worked
	}
}
