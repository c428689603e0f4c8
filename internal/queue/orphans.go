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
	// leasesKey holds the leases as they were last read, so that another process can
	// continue when this one is killed.
	leasesKey = "asynq:leases"
)

// leaseStates is one reading of the leases: for each active task its lease, and since when
// the lease has not changed. Times are milliseconds since 1970. The JSON names are short
// because it is written every second.
type leaseStates struct {
	At    int64                 `json:"a"`
	Tasks map[string]leaseState `json:"s"` // by queue and id
}

type leaseState struct {
	Lease string `json:"l"`
	Since int64  `json:"t"`
}

// Orphans returns the active tasks whose lease has not been renewed for twelve seconds.
// Some process must call it at least every four seconds; which one does not matter. After
// a longer gap, or a call that failed, the twelve seconds start again, because workers
// may have failed to renew their leases too. It must not run concurrently with itself. It
// returns order.ErrUnavailable when Redis does not answer.
func (t *Tasks) Orphans(ctx context.Context) ([]recovery.Orphan, error) {
	orphans, err := t.orphans(ctx)
	t.leasesUnknown = err != nil
	return orphans, err
}

func (t *Tasks) orphans(ctx context.Context) ([]recovery.Orphan, error) {
	// The time is read first: the leases below were so after it.
	now, err := t.now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the time: %w: %w", order.ErrUnavailable, err)
	}
	last, err := t.lastLeases(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("read the saved leases: %w: %w", order.ErrUnavailable, err)
	}
	active, err := t.Active(ctx)
	if err != nil {
		return nil, err
	}
	current := make(map[string]leaseState, len(active))
	var orphans []recovery.Orphan
	for _, task := range active {
		name := string(task.Queue) + "/" + task.ID
		seen, known := last[name]
		// A lease that is gone was dropped by recovery: no worker drops its own.
		if !known || (seen.Lease != task.Lease && task.Lease != "") {
			seen.Since = now.UnixMilli()
		}
		seen.Lease = task.Lease
		current[name] = seen
		if now.Sub(time.UnixMilli(seen.Since)) >= orphanAfter {
			orphans = append(orphans, recovery.Orphan{ActiveTask: task, SeenAt: now})
		}
	}
	return orphans, t.saveLeases(ctx, leaseStates{At: now.UnixMilli(), Tasks: current})
}

// lastLeases returns the last reading of the leases by task, empty when it is too old.
func (t *Tasks) lastLeases(ctx context.Context, now time.Time) (map[string]leaseState, error) {
	text, err := t.rdb.Get(ctx, leasesKey).Bytes()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	var last leaseStates
	if t.leasesUnknown || json.Unmarshal(text, &last) != nil || now.Sub(time.UnixMilli(last.At)) > maxLeaseGap {
		return nil, nil
	}
	return last.Tasks, nil
}

func (t *Tasks) saveLeases(ctx context.Context, current leaseStates) error {
	text, err := json.Marshal(current)
	if err != nil {
		return fmt.Errorf("encode the leases: %w", err)
	}
	if err := saveLeasesScript.Run(ctx, t.rdb, []string{leasesKey}, text, maxLeaseGap.Milliseconds()).Err(); err != nil {
		return fmt.Errorf("save the leases: %w: %w", order.ErrUnavailable, err)
	}
	return nil
}

// Active returns all tasks that workers hold, orphans among them. It returns
// order.ErrUnavailable when Redis does not answer.
func (t *Tasks) Active(ctx context.Context) ([]recovery.ActiveTask, error) {
	pipe := t.rdb.Pipeline()
	active := map[order.Queue]*redis.StringSliceCmd{}
	leases := map[order.Queue]*redis.ZSliceCmd{}
	for _, q := range order.Queues() {
		active[q] = pipe.LRange(ctx, queueKey(q, "active"), 0, -1)
		leases[q] = pipe.ZRangeWithScores(ctx, queueKey(q, "lease"), 0, -1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("list the active tasks: %w: %w", order.ErrUnavailable, err)
	}
	var tasks []recovery.ActiveTask
	for _, q := range order.Queues() {
		leaseOf := map[any]string{}
		for _, z := range leases[q].Val() {
			leaseOf[z.Member] = strconv.FormatFloat(z.Score, 'f', -1, 64)
		}
		for _, id := range active[q].Val() {
			tasks = append(tasks, recovery.ActiveTask{ID: id, Queue: q, Lease: leaseOf[id]})
		}
	}
	return tasks, nil
}

// Requeue puts an orphan in front of its queue, and reports whether it did: a task whose
// lease has changed or that is not active any more is left alone. It returns
// order.ErrCorrupt for a task that cannot be decoded, and order.ErrUnavailable when Redis
// does not answer.
func (t *Tasks) Requeue(ctx context.Context, o recovery.Orphan) (bool, error) {
	if _, err := findTask(ctx, t.inspector, taskRef{o.Queue, o.ID}); err != nil {
		return false, err
	}
	n, err := putBack(ctx, t.rdb, o.Queue, []ticket{{id: o.ID, lease: o.Lease}}).Int()
	if err != nil {
		return false, fmt.Errorf("requeue order %s: %w: %w", o.ID, order.ErrUnavailable, err)
	}
	return n == 1, nil
}

// DropLease removes the lease of an orphan, so that Asynq's recoverer ignores the task
// and it stays active until Requeue. A task whose lease has changed is left alone.
// Repeating it changes nothing. It returns order.ErrUnavailable when Redis does not
// answer.
func (t *Tasks) DropLease(ctx context.Context, o recovery.Orphan) error {
	keys := []string{queueKey(o.Queue, "lease")}
	if err := dropLeaseScript.Run(ctx, t.rdb, keys, o.ID, o.Lease).Err(); err != nil {
		return fmt.Errorf("drop the lease of order %s: %w: %w", o.ID, order.ErrUnavailable, err)
	}
	return nil
}
