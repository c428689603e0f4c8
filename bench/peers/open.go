package peers

import (
	"context"
	"errors"
)

// openFunc opens a peer in its home. It may leave what it started there when it
// fails.
type openFunc func(context.Context, *home) (System, error)

// opener makes a Peer's Open of it: each system has a home of its own, of which
// nothing is left when it cannot be opened. An ended context is an error, not a
// reason to skip.
func opener(open openFunc) func(context.Context, string) (System, error) {
	return func(ctx context.Context, dir string) (System, error) {
		h, err := newHome(dir)
		if err != nil {
			return nil, err
		}
		s, err := open(ctx, h)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, errors.Join(err, h.close())
	}
}
