package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/batch"
	"orderprocessor/internal/order"
)

const (
	// lateAckTimeout bounds an acknowledgement that is tried again, as Asynq's own
	// context no longer does.
	lateAckTimeout = 3 * time.Second
	// ackGroup is how many worked tasks are taken off a queue together at most: well
	// below a millisecond of Redis.
	ackGroup = 100
	// ackWaiting bounds those that wait for that. A worker has as many as slots.
	ackWaiting = 10_000
	// ackTimeout bounds taking them off; Asynq tries again what failed.
	ackTimeout = 5 * time.Second
)

var (
	// errTaken is a late acknowledgement of a delivery that a newer one has followed.
	errTaken = errors.New("a newer delivery holds the task")
	// errNotActive is what Asynq's own script answers.
	errNotActive = errors.New("NOT FOUND")
)

// worked is a task whose order is worked.
type worked struct {
	id  string
	day string // key of the day's count
	// expires is when that count expires, in seconds since 1970.
	expires any
}

// ended takes the tasks of worked orders off their queues, those together that end
// at the same time.
type ended map[order.Queue]*batch.Batcher[worked, bool]

func newEnded(rdb redis.UniversalClient) *ended {
	all := ended{}
	for _, q := range order.Queues() {
		all[q] = batch.New(
			batch.Config{MaxBatch: ackGroup, MaxWaiting: ackWaiting, Timeout: ackTimeout},
			func(ctx context.Context, tasks []worked) ([]bool, error) { return takeOff(ctx, rdb, q, tasks) })
	}
	return &all
}

// done does for one task what Asynq's script does, whose keys and arguments it
// takes.
func (e ended) done(ctx context.Context, keys []string, args []any) *redis.Cmd {
	id, _ := args[0].(string)
	gone, err := e[queueOf(keys[0])].Do(ctx, worked{id: id, day: keys[3], expires: args[1]})
	if err == nil && !gone {
		err = errNotActive
	}
	return answered(ctx, "OK", err)
}

// takeOff says of each task whether it is gone by this call. Tasks that end before
// and after midnight count for the day of the first.
func takeOff(ctx context.Context, rdb redis.UniversalClient, q order.Queue, tasks []worked) ([]bool, error) {
	keys := make([]string, 0, 4+len(tasks))
	keys = append(keys, queueKey(q, "active"), queueKey(q, "lease"), tasks[0].day, queueKey(q, "processed"))
	args := make([]any, 0, 1+len(tasks))
	args = append(args, tasks[0].expires)
	for _, t := range tasks {
		keys, args = append(keys, taskKey(place{q, t.id})), append(args, t.id)
	}
	answers, err := doneScript.Run(ctx, rdb, keys, args...).BoolSlice()
	if err != nil {
		return nil, fmt.Errorf("take %d tasks off queue %s: %w", len(tasks), q, err)
	}
	return answers, nil
}

// inTime runs a script, and lets Asynq acknowledge a task although the context it
// kept for that is cancelled.
//
// When an acknowledgement fails, Asynq 0.26 repeats it every five seconds while
// the lease lasts, but with the context of the first try, which is cancelled by
// then. Otherwise no repeat would ever reach Redis, and the order would be
// delivered again a minute later.
//
// A repeat must not touch a newer delivery: the first try may have been applied
// with its answer lost, and the order be with a worker again. The context still
// tells when the lease of its own delivery ends; a lease that ends later is
// somebody else's.
func (l *lane) inTime(ctx context.Context, keys []string, args []any, run func(context.Context) *redis.Cmd) *redis.Cmd {
	lease := leaseOf(keys)
	if ctx.Err() == nil || lease == "" || len(args) == 0 {
		return run(ctx)
	}
	fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateAckTimeout)
	defer cancel()
	id, _ := args[0].(string)
	if err := l.checkLease(fresh, ctx, lease, id); err != nil {
		return answered(ctx, nil, err)
	}
	return run(fresh)
}

// checkLease returns an error unless the lease is that of the delivery whose
// context late is, or gone.
func (l *lane) checkLease(ctx, late context.Context, lease, id string) error {
	until, bounded := late.Deadline()
	score, err := l.ZScore(ctx, lease, id).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil
	case err != nil:
		return err
	case !bounded || int64(score) > until.Unix():
		return errTaken
	default:
		return nil
	}
}

// leaseOf finds the key of the leases among those of a script by which Asynq ends a
// delivery: done, retry and archive. Their first argument is the task's id.
func leaseOf(keys []string) string {
	for _, key := range keys[1:] {
		if strings.HasSuffix(key, "}:lease") {
			return key
		}
	}
	return ""
}
