package clients

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"orderprocessor/internal/load"
)

// Paced sends orders one after the other, each a random time between two bounds
// after the answer to the one before.
func Paced(ctx context.Context, addr string, orders int, from, to time.Duration, o load.Orders) error {
	host := newHost(addr, 1)
	defer host.CloseIdleConnections()
	for n := range orders {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(from + rand.N(to-from)): //nolint:gosec // nobody gains by guessing it
		}
		if err := postOrder(host, o.Append(nil, n)); err != nil {
			return fmt.Errorf("send order %d of %d: %w", n+1, orders, err)
		}
	}
	return nil
}
