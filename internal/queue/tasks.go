package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/prefetch"
)

// Tasks finds, moves and removes tasks that Asynq has lost track of; package recovery
// decides which. See orphans.go, delayed.go and corrupt.go.
//
// Asynq itself requeues the tasks of a killed worker after 60 to 90 seconds, and stops
// doing so at the first task that it cannot decode. Tasks goes by the leases instead,
// which a live worker renews every five seconds, and by the clock of Redis alone.
//
// Its methods return order.ErrUnavailable when Redis does not answer. They may run
// concurrently; Orphans and Delayed not with themselves.
type Tasks struct {
	rdb           redis.UniversalClient
	inspector     *asynq.Inspector
	now           func(context.Context) (time.Time, error)
	leasesUnknown bool   // the last call of Orphans failed
	delayedSet    int    // the set that Delayed reads next
	delayedCursor uint64 // where in this set
}

// NewTasks returns Tasks on rdb, which stays the caller's to close. It fails if the
// program is built with a version of Asynq whose keys are not known.
func NewTasks(rdb redis.UniversalClient) (*Tasks, error) {
	if err := prefetch.Supported(); err != nil {
		return nil, err
	}
	now := func(ctx context.Context) (time.Time, error) { return rdb.Time(ctx).Result() }
	return &Tasks{rdb: rdb, inspector: asynq.NewInspectorFromRedisClient(rdb), now: now}, nil
}

// taskKey returns the key of a task's hash. Its id is the order's.
func taskKey(q order.Queue, id string) string { return queueKey(q, "t:"+id) }

// findTask returns Asynq's view of a task. It returns order.ErrCorrupt, and with it
// Asynq's own error, for a task that is missing or cannot be decoded.
func findTask(ctx context.Context, inspector *asynq.Inspector, q order.Queue, id string) (*asynq.TaskInfo, error) {
	info, err := withContext(ctx, func() (*asynq.TaskInfo, error) { return inspector.GetTaskInfo(string(q), id) })
	switch {
	case err == nil && info.ID == id && info.Queue == string(q):
		return info, nil
	case err == nil:
		return nil, fmt.Errorf("find task of order %s: %w: it is another order's", id, order.ErrCorrupt)
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound), isDecodeError(err):
		return nil, fmt.Errorf("find task of order %s: %w: %w", id, order.ErrCorrupt, err)
	default:
		return nil, fmt.Errorf("find task of order %s: %w: %w", id, order.ErrUnavailable, err)
	}
}

// isDecodeError reports whether Asynq found a task that it cannot decode. Asynq has no
// error value for that, so its text decides.
func isDecodeError(err error) bool {
	texts := []string{"could not decode", "unexpected value", "not supported task state", "WRONGTYPE"}
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(err.Error(), text) })
}
