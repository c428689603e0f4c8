//go:build !unix

package cli

import (
	"context"
	"errors"
)

// canRunRedis reports whether this system can run a private redis-server.
const canRunRedis = false

func openPrivateRedis(context.Context, string, string) (*devRedis, error) {
	return nil, errors.ErrUnsupported
}
