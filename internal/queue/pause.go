package queue

import (
	"context"
	"fmt"
	"strings"

	"orderprocessor/internal/order"
)

// Pause keeps all workers from taking orders from the queue. What they have fetched
// ahead they may begin for another second, or give back. Orders that are being
// worked are finished. Pausing a paused queue changes nothing. It returns
// order.ErrUnavailable when Redis could not be asked.
func (i *Inspector) Pause(ctx context.Context, q order.Queue) error {
	return i.brake(ctx, q, true, i.asynq.PauseQueue)
}

// Resume lets workers take orders from the queue again; otherwise it is like
// Pause.
func (i *Inspector) Resume(ctx context.Context, q order.Queue) error {
	return i.brake(ctx, q, false, i.asynq.UnpauseQueue)
}

// brakeTries is how often a brake is set.
const brakeTries = 3

// brake asks again when Asynq says that there is nothing to change and there is:
// somebody else has changed it back meanwhile.
func (i *Inspector) brake(ctx context.Context, q order.Queue, paused bool, change func(queue string) error) (err error) {
	for range brakeTries {
		_, err = within(ctx, func() (struct{}, error) { return struct{}{}, change(string(q)) })
		if err == nil {
			return nil
		}
		n, asked := i.rdb.Exists(ctx, queueKey(q, "paused")).Result()
		if asked == nil && (n > 0) == paused {
			return nil
		}
		if asked != nil || !strings.HasSuffix(err.Error(), "paused") {
			break
		}
	}
	return fmt.Errorf("set the brake of queue %s: %w: %w", q, order.ErrUnavailable, err)
}
