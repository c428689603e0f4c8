package queue

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// lookInterval is how often an idle worker looks into the queues by itself. It
	// finds what nobody has announced: orders that have become due, were put back or
	// whose queue was resumed.
	lookInterval = 250 * time.Millisecond
	// paceInterval is how often the pace is measured and old tasks are given back.
	paceInterval = 50 * time.Millisecond
	// giveBackTimeout bounds giving the tasks of one queue back.
	giveBackTimeout = 2 * time.Second
)

// run measures the pace, looks into the queues and gives back what is too old,
// until ctx ends; then it gives back everything, and nobody gets a task any more.
func (a *ahead) run(ctx context.Context) {
	pace, look := time.NewTicker(paceInterval), time.NewTicker(lookInterval)
	defer pace.Stop()
	defer look.Stop()
	for {
		select {
		case <-pace.C:
			a.measure()
			a.giveBack(time.Now().Add(-a.age()))
		case <-look.C:
			a.wake(order.Queues()...)
		case <-ctx.Done():
			a.stop()
			return
		}
	}
}

func (a *ahead) age() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.maxAge
}

func (a *ahead) measure() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, own := range a.queues {
		soon := own.begun * int(aheadTime) / int(paceInterval)
		own.pace, own.begun = (own.pace+soon)/2, 0
	}
}

func (a *ahead) stop() {
	a.mu.Lock()
	a.stopped = true
	a.announce()
	a.mu.Unlock()
	a.fetching.Wait()
	a.giveBack(time.Now())
}

// giveBack gives back all tasks of the queues whose oldest was fetched before the time,
// in front of those that wait and in their old order. What could not be given back is
// found as strays.
func (a *ahead) giveBack(before time.Time) {
	for q, tasks := range a.old(before) {
		if err := giveBack(a.rdb, q, tasks); err != nil {
			a.log.Warn("giving orders back to their queue failed; they come back when their leases are not renewed",
				"order_id", tasks[0].id, "orders", len(tasks), "error", err)
		}
	}
}

// old takes out what is to be given back. The younger tasks of a queue go with its
// oldest: later they would be put in front of it.
func (a *ahead) old(before time.Time) map[order.Queue][]ticket {
	a.mu.Lock()
	defer a.mu.Unlock()
	old := map[order.Queue][]ticket{}
	for q, own := range a.queues {
		if len(own.tasks) > 0 && own.tasks[0].at.Before(before) {
			old[q], own.tasks = own.tasks, nil
		}
	}
	return old
}

func giveBack(rdb redis.UniversalClient, q order.Queue, tasks []ticket) error {
	ctx, cancel := context.WithTimeout(context.Background(), giveBackTimeout)
	defer cancel()
	slices.Reverse(tasks) // the oldest is to be taken next
	return putBack(ctx, rdb, q, tasks).Err()
}

// putBack makes tasks pending that are active with the leases they have, and answers
// how many. The last one is taken next.
func putBack(ctx context.Context, rdb redis.UniversalClient, q order.Queue, tasks []ticket) *redis.Cmd {
	keys := make([]string, 0, 3+len(tasks))
	keys = append(keys, queueKey(q, "active"), queueKey(q, "lease"), queueKey(q, "pending"))
	args := make([]any, 0, 1+2*len(tasks))
	args = append(args, time.Now().UnixNano())
	for _, t := range tasks {
		keys, args = append(keys, taskKey(taskRef{q, t.id})), append(args, t.id, t.lease)
	}
	return putbackScript.Run(ctx, rdb, keys, args...)
}

// leaseText is a lease as Redis writes it.
func leaseText(until time.Time) string { return strconv.FormatInt(until.Unix(), 10) }
