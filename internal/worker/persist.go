package worker

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

const (
	// persistFirstWait is the wait after a first write that Redis did not
	// answer; it doubles from there.
	persistFirstWait = 50 * time.Millisecond
	// persistMaxWait bounds the wait between two writes.
	persistMaxWait = 2 * time.Second
)

// persist repeats a write to the ledger while Redis is unavailable, until ctx ends with
// the delivery. So a short fault of Redis does not cause another call to the shop. The
// write must be repeatable.
func persist(ctx context.Context, write func() error) error {
	for wait := persistFirstWait; ; wait = min(2*wait, persistMaxWait) {
		err := write()
		if !errors.Is(err, order.ErrUnavailable) {
			return err
		}
		pause := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			pause.Stop()
			return err
		case <-pause.C:
		}
	}
}
