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
	// persistMaxWait bounds the wait between two tries.
	persistMaxWait = 2 * time.Second
)

// persist repeats a write to the books while Redis is unavailable and the
// delivery lasts: what an attempt has done at the shop should not have to be
// done again because of a short fault. The write must be repeatable.
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
