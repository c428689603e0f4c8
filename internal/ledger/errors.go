package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// wrap adds the operation and its subject to an error. It also wraps
// order.ErrUnavailable unless Redis refused a wrong command, which it would refuse
// again.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	operation := fmt.Sprintf(format, args...)
	if unavailable(err) {
		return fmt.Errorf("%s: %w: %w", operation, order.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}

// temporary lists what error replies contain when Redis cannot work at the moment, or
// not for this user: it starts, fails over, is a replica, lacks replicas, memory or
// disk, has withdrawn rights, or its nodes do not agree yet which of them has the books.
// The texts without capitals are from replies without a code, such as those of Redis 6.2
// to scripts.
var temporary = []string{ //nolint:gochecknoglobals // a constant list
	"LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED ", "ASK ", "READONLY", "NOREPLICAS", "OOM", "MISCONF", "BUSY",
	"NOPERM", "NOAUTH", "WRONGPASS", "DENIED", "NOGOODSLAVE",
	"max number of clients", "ACL failure in script", "user executing the script", "unknown command",
	"non local key", "cluster is down", "Unknown Redis command", "Disk error", "invalid password", "without any password configured",
}

func unavailable(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return !errors.Is(err, context.Canceled) // the caller stopped waiting
	}
	if redis.IsAuthError(err) || redis.IsPermissionError(err) {
		return true
	}
	for _, p := range temporary {
		if strings.Contains(reply.Error(), p) {
			return true
		}
	}
	return false
}
