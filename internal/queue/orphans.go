package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/recovery"
)

const (
	// orphanAfter is how long a lease must stay unchanged before its worker counts as
	// gone. Asynq renews the leases of all active tasks every five seconds; one renewal
	// may fail, and Redis may be slow.
	orphanAfter = 12 * time.Second
	// maxLeaseGap is the longest time between two readings of the leases that still
	// counts as watching them. After a longer gap, workers first get the time to renew
	// their leases.
	maxLeaseGap = 4 * time.Second
)

// leaseState is the lease of an active task, and since when it has not changed, in
// milliseconds since 1970. The JSON names are short because it is saved every second.
type leaseState struct {
	Lease string `json:"l"`
	Since int64  `json:"t"`
}

// Orphans returns the active tasks whose lease has not been renewed for twelve seconds.
// now is a time of Redis, from before the call. Some process must call it at least every
// four seconds; which one does not matter. After
// a longer gap, or a call that failed, the twelve seconds start again, because workers
// may have failed to renew their leases too.
func (t *Tasks) Orphans(ctx context.Context, now time.Time) (orphans []recovery.Orphan, err error) {
	defer func() { t.leasesUnknown = err != nil }()
	last, err := t.savedLeases(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the saved leases: %w: %w", order.ErrUnavailable, err)
	}
	active, err := t.Active(ctx)
	if err != nil {
		return nil, err
	}
	current := make(map[string]leaseState, len(active))
	for _, task := range active {
		name := string(task.Queue) + "/" + task.ID
		state, known := last[name]
		// A lease that is gone was dropped by recovery: no worker drops its own.
		if !known || (state.Lease != task.Lease && task.Lease != "") {
			state.Since = now.UnixMilli()
		}
		state.Lease = task.Lease
		current[name] = state
		if now.Sub(time.UnixMilli(state.Since)) >= orphanAfter {
			orphans = append(orphans, recovery.Orphan{ActiveTask: task, SeenAt: now})
		}
	}
	return orphans, t.saveLeases(ctx, current)
}

// savedLeases returns the leases by queue and id as they were last read, none if that is
// too long ago.
func (t *Tasks) savedLeases(ctx context.Context) (leases map[string]leaseState, err error) {
	text, err := t.rdb.Get(ctx, t.leasesKey()).Bytes()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	if t.leasesUnknown || json.Unmarshal(text, &leases) != nil {
		return nil, nil //nolint:nilerr,nilnil // no leases are saved
	}
	return leases, nil
}

// saveLeases saves the leases for as long as they are valid.
func (t *Tasks) saveLeases(ctx context.Context, leases map[string]leaseState) error {
	text, err := json.Marshal(leases)
	if err != nil {
		return fmt.Errorf("encode the leases: %w", err)
	}
	if err := saveLeasesScript.Run(ctx, t.rdb, []string{t.leasesKey()}, text, maxLeaseGap.Milliseconds()).Err(); err != nil {
		return fmt.Errorf("save the leases: %w: %w", order.ErrUnavailable, err)
	}
	return nil
}

// Active returns all tasks that workers hold, orphans among them.
func (t *Tasks) Active(ctx context.Context) ([]recovery.ActiveTask, error) {
	pipe := t.rdb.Pipeline()
	queues := t.queues()
	active, leases := make([]*redis.StringSliceCmd, len(queues)), make([]*redis.ZSliceCmd, len(queues))
	for n, queue := range queues {
		active[n] = pipe.LRange(ctx, queueKey(queue, "active"), 0, -1)
		leases[n] = pipe.ZRangeWithScores(ctx, queueKey(queue, "lease"), 0, -1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("list the active tasks: %w: %w", order.ErrUnavailable, err)
	}
	var tasks []recovery.ActiveTask
	for n, queue := range queues {
		q, leaseOf := t.names.queue[queue], map[any]string{}
		for _, z := range leases[n].Val() {
			leaseOf[z.Member] = strconv.FormatFloat(z.Score, 'f', -1, 64)
		}
		for _, id := range active[n].Val() {
			tasks = append(tasks, recovery.ActiveTask{ID: id, Queue: q, Lease: leaseOf[id]})
		}
	}
	return tasks, nil
}

// Requeue puts an orphan in front of its queue, and reports whether it did: a task whose
// lease has changed or that is not active any more is left alone. It returns
// order.ErrCorrupt for a task that cannot be decoded.
func (t *Tasks) Requeue(ctx context.Context, o recovery.Orphan) (bool, error) {
	queue := t.names.of(o.Queue, o.ID)
	if _, err := findTask(ctx, t.inspector, queue, o.ID); err != nil {
		return false, err
	}
	n, err := requeue(ctx, t.rdb, queue, []prefetch.Task{{ID: o.ID, Lease: o.Lease}})
	if err != nil {
		return false, fmt.Errorf("requeue order %s: %w: %w", o.ID, order.ErrUnavailable, err)
	}
	return n == 1, nil
}

// DropLease removes the lease of an orphan, so that Asynq's recoverer ignores the task
// and it stays active until Requeue. A task whose lease has changed is left alone.
// Repeating it changes nothing.
func (t *Tasks) DropLease(ctx context.Context, o recovery.Orphan) error {
	keys := []string{queueKey(t.names.of(o.Queue, o.ID), "lease")}
	if err := dropLeaseScript.Run(ctx, t.rdb, keys, o.ID, o.Lease).Err(); err != nil {
		return fmt.Errorf("drop the lease of order %s: %w: %w", o.ID, order.ErrUnavailable, err)
	}
	return nil
}
