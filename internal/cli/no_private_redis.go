//go:build !unix

package cli

import (
	"context"
	"errors"
)

// canRunRedis says whether this system can run a private redis-server.
const canRunRedis = false

func openPrivateRedis(context.Context, string, string) (*store, error) {
	return nil, errors.ErrUnsupported
}
