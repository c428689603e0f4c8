package prefetch

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/batch"
)

const (
	// lateAckTimeout bounds a repeated acknowledgement, as Asynq's context no longer
	// does.
	lateAckTimeout = 3 * time.Second
	// maxAcks is how many tasks one script acknowledges, well below a millisecond of
	// Redis.
	maxAcks = 100
	// maxAcksWaiting bounds the tasks that wait for it. A worker has one per slot.
	maxAcksWaiting = 10_000
	// ackTimeout bounds one script. Asynq repeats what failed.
	ackTimeout = 5 * time.Second
)

//go:embed scripts/acknowledge.lua
var acknowledgeLua string

//nolint:gochecknoglobals // compiled once, never changed
var acknowledgeScript = redis.NewScript(acknowledgeLua)

var (
	// errNewerDelivery is returned for a late acknowledgement of a task that has been
	// delivered again.
	errNewerDelivery = errors.New("a newer delivery holds the task")
	// errNotActive is what Asynq's own script answers.
	errNotActive = errors.New("NOT FOUND")
)

// acknowledgement is one call of Asynq's done script.
type acknowledgement struct {
	keys []string // active, lease, task, processed today, processed in total
	id   string
	// expires is when the count of today expires, in seconds since 1970.
	expires any
}

// acknowledger removes finished tasks from their queues, those of concurrent calls in
// one script for each queue, by the name that Asynq knows.
type acknowledger map[string]*batch.Batcher[acknowledgement, bool]

func newAcknowledger(rdb redis.UniversalClient, buffers map[string]*buffer) acknowledger {
	a := acknowledger{}
	for name := range buffers {
		a[name] = batch.New(
			batch.Config{MaxBatch: maxAcks, MaxWaiting: maxAcksWaiting, Timeout: ackTimeout},
			func(ctx context.Context, tasks []acknowledgement) ([]bool, error) {
				return acknowledge(ctx, rdb, tasks)
			})
	}
	return a
}

// done does what Asynq's done script would with these keys and arguments.
func (a acknowledger) done(ctx context.Context, keys []string, args []any) *redis.Cmd {
	id, _ := args[0].(string)
	removed, err := a[queueOf(keys[0])].Do(ctx, acknowledgement{keys: keys, id: id, expires: args[1]})
	if err == nil && !removed {
		err = errNotActive
	}
	return answered(ctx, "OK", err)
}

// acknowledge removes tasks of one queue and reports for each whether it was active.
// Tasks that finish around midnight count for the day of the first.
func acknowledge(ctx context.Context, rdb redis.UniversalClient, tasks []acknowledgement) ([]bool, error) {
	first := tasks[0]
	keys := append(make([]string, 0, 4+len(tasks)), first.keys[0], first.keys[1], first.keys[3], first.keys[4])
	args := append(make([]any, 0, 1+len(tasks)), first.expires)
	for _, t := range tasks {
		keys, args = append(keys, t.keys[2]), append(args, t.id)
	}
	removed, err := acknowledgeScript.Run(ctx, rdb, keys, args...).BoolSlice()
	if err != nil {
		return nil, fmt.Errorf("acknowledge %d tasks: %w", len(tasks), err)
	}
	return removed, nil
}

// lateAck runs a script, with a fresh context if it is an acknowledgement whose
// context was cancelled.
//
// Asynq 0.26 repeats a failed acknowledgement every five seconds while the lease lasts,
// but always with the context of the first try, which is cancelled by then. No repeat
// would ever reach Redis, and the order would be delivered again a minute later.
//
// A repeat must not touch a newer delivery: the first try may have been applied with its
// answer lost. The deadline of the cancelled context is the end of its own lease, so a
// lease that ends later belongs to a newer delivery.
func (c *serverClient) lateAck(ctx context.Context, keys []string, args []any, run func(context.Context) *redis.Cmd) *redis.Cmd {
	leases := leasesOf(keys)
	if ctx.Err() == nil || leases == "" || len(args) == 0 {
		return run(ctx)
	}
	fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateAckTimeout)
	defer cancel()
	id, _ := args[0].(string)
	if err := c.checkLease(fresh, ctx, leases, id); err != nil {
		return answered(ctx, nil, err)
	}
	return run(fresh)
}

// checkLease returns an error unless the task has no lease, or the one of the delivery
// whose context late is.
func (c *serverClient) checkLease(ctx, late context.Context, leases, id string) error {
	until, bounded := late.Deadline()
	score, err := c.ZScore(ctx, leases, id).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil
	case err != nil:
		return err
	case !bounded || int64(score) > until.Unix():
		return errNewerDelivery
	default:
		return nil
	}
}

// leasesOf returns the key of the leases among the keys of a script that ends a
// delivery, whose first argument is the task's id; empty for any other script.
func leasesOf(keys []string) string {
	for _, key := range keys[1:] {
		if strings.HasSuffix(key, "}:lease") {
			return key
		}
	}
	return ""
}
