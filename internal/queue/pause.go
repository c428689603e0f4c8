package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"orderprocessor/internal/order"
)

// Pause keeps all workers from taking orders of the queue, in all books. Prefetched orders
// are begun for another second, or requeued. Orders being worked are finished. Pausing a
// paused queue changes nothing. It returns order.ErrUnavailable when Redis did not answer;
// with several books, some may be paused then, and repeating it pauses the others.
func (i *Inspector) Pause(ctx context.Context, q order.Queue) error {
	return i.setAllPaused(ctx, q, true, i.asynq.PauseQueue)
}

// Resume lets workers take orders of the queue again; otherwise it is like Pause.
func (i *Inspector) Resume(ctx context.Context, q order.Queue) error {
	return i.setAllPaused(ctx, q, false, i.asynq.UnpauseQueue)
}

// setAllPaused changes all books at the same time, so that one that is away keeps no other
// from its change.
func (i *Inspector) setAllPaused(ctx context.Context, q order.Queue, paused bool, change func(queue string) error) error {
	queues := i.names.each[q]
	failed := make([]error, len(queues))
	var changing sync.WaitGroup
	for n, queue := range queues {
		changing.Go(func() { failed[n] = i.setPaused(ctx, queue, paused, change) })
	}
	changing.Wait()
	failed = slices.DeleteFunc(failed, func(err error) bool { return err == nil })
	switch {
	case len(failed) == 0:
		return nil
	case len(queues) == 1:
		return failed[0]
	default:
		return fmt.Errorf("in %d of %d books: %w", len(failed), len(queues), failed[0])
	}
}

// maxPauseTries is how often setPaused tries.
const maxPauseTries = 3

// setPaused repeats the change when Asynq answers that it has been made, and Redis shows
// that it has not: someone else has undone it meanwhile. Asynq has no error value for
// that, only a text that ends in "paused".
func (i *Inspector) setPaused(ctx context.Context, queue string, paused bool, change func(queue string) error) (err error) {
	for range maxPauseTries {
		_, err = withContext(ctx, func() (struct{}, error) { return struct{}{}, change(queue) })
		if err == nil {
			return nil
		}
		n, readErr := i.rdb.Exists(ctx, queueKey(queue, "paused")).Result()
		if readErr == nil && (n > 0) == paused {
			return nil
		}
		if readErr != nil || !strings.HasSuffix(err.Error(), "paused") {
			break
		}
	}
	return fmt.Errorf("pause or resume queue %s: %w: %w", queue, order.ErrUnavailable, err)
}
