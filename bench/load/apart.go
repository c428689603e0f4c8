package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Apart sends so many orders one after the other, each a random time between two
// bounds after the one before it was answered.
func Apart(ctx context.Context, addr string, orders int, from, to time.Duration, o Orders) error {
	host := newHost(addr, 1)
	defer host.CloseIdleConnections()
	for n := range orders {
		gap := from + rand.N(to-from) //nolint:gosec // nobody gains by guessing it
		if err := pause(ctx, gap); err != nil {
			return err
		}
		if err := postOrder(host, o.Append(nil, n)); err != nil {
			return fmt.Errorf("send order %d of %d: %w", n+1, orders, err)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
