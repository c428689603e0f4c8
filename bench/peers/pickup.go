package peers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// pickupSlots is how many slots are idle: as many as our worker has by
	// default.
	pickupSlots = 64
	// pickupPauseMin and pickupPauseMax bound the random pause before each try,
	// so that tries do not fall into step with a peer that polls.
	pickupPauseMin = 20 * time.Millisecond
	pickupPauseMax = 60 * time.Millisecond
)

// sampleOrder is what idle workers are given.
const sampleOrder = `{"id":"pickup","amount":49.90,"items":["tea","cups"],"customer":"ada@example.com",` +
	`"address":"1 Example Road","priority":1}`

// pickups puts one order after the other, each when the one before was begun.
func pickups(
	ctx context.Context, tries int, begun <-chan time.Time, put func(context.Context, []byte) error,
) ([]time.Duration, error) {
	waits := make([]time.Duration, 0, tries)
	for range tries {
		wait, err := pickup(ctx, begun, put)
		if err != nil {
			return nil, fmt.Errorf("pick up order %d of %d: %w", len(waits)+1, tries, err)
		}
		waits = append(waits, wait)
	}
	return waits, nil
}

func pickup(
	ctx context.Context, begun <-chan time.Time, put func(context.Context, []byte) error,
) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, stallLimit)
	defer cancel()
	if err := pause(ctx, pickupPauseMin+rand.N(pickupPauseMax-pickupPauseMin)); err != nil { //nolint:gosec // no secret
		return 0, err
	}
	if err := put(ctx, []byte(sampleOrder)); err != nil {
		return 0, err
	}
	returned := time.Now()
	select {
	case at := <-begun:
		return max(0, at.Sub(returned)), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// pause waits, or returns why the context ended before.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
