package queue

import (
	"context"
	"fmt"
	"strings"

	"orderprocessor/internal/order"
)

// Pause keeps all workers from taking orders of the queue. Prefetched orders are begun
// for another second, or requeued. Orders being worked are finished. Pausing a paused
// queue changes nothing. It returns order.ErrUnavailable when Redis did not answer.
func (i *Inspector) Pause(ctx context.Context, q order.Queue) error {
	return i.setPaused(ctx, q, true, i.asynq.PauseQueue)
}

// Resume lets workers take orders of the queue again; otherwise it is like Pause.
func (i *Inspector) Resume(ctx context.Context, q order.Queue) error {
	return i.setPaused(ctx, q, false, i.asynq.UnpauseQueue)
}

// maxPauseTries is how often setPaused tries.
const maxPauseTries = 3

// setPaused repeats the change when Asynq answers that it has been made, and Redis shows
// that it has not: someone else has undone it meanwhile. Asynq has no error value for
// that, only a text that ends in "paused".
func (i *Inspector) setPaused(ctx context.Context, q order.Queue, paused bool, change func(queue string) error) (err error) {
	for range maxPauseTries {
		_, err = withContext(ctx, func() (struct{}, error) { return struct{}{}, change(string(q)) })
		if err == nil {
			return nil
		}
		n, readErr := i.rdb.Exists(ctx, queueKey(q, "paused")).Result()
		if readErr == nil && (n > 0) == paused {
			return nil
		}
		if readErr != nil || !strings.HasSuffix(err.Error(), "paused") {
			break
		}
	}
	return fmt.Errorf("pause or resume queue %s: %w: %w", q, order.ErrUnavailable, err)
}
