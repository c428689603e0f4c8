package app

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/stats"
)

const (
	// longWait is how long the first order of a queue may wait until workers are too
	// few or too slow.
	longWait = time.Minute
	// leaseGrace is how long after its end a lease is looked at by nobody: reconcile
	// puts the order back well before.
	leaseGrace = 5 * time.Second
	// toldDamaged is how many damaged places of a queue are counted at most.
	toldDamaged = 100
)

// workers looks at who works the orders, and with what.
func (e *examiner) workers(ctx context.Context) ([]Finding, error) {
	fleet, err := e.inspector.Workers(ctx)
	if err != nil {
		return nil, err
	}
	alive := good("workers", fmt.Sprintf("%d alive, with %d slots", fleet.Workers, fleet.Slots))
	switch e.facts.WorkerPool = fleet; {
	case !e.facts.WorkersKnown():
		alive = unchecked("workers", "not known, as Redis refuses their signs of life: "+e.facts.Reason())
	case fleet.Slots == 0:
		alive = problem("workers", "none is alive: orders are taken until the queues are full, and wait",
			"start workers; if they should run, look at their log for the reason of their end")
	}
	tasks, err := queue.NewTasks(e.rdb)
	if err != nil {
		return []Finding{alive, problem("asynq", err.Error(), "build the programs from this repository's go.mod, unchanged")}, nil
	}
	lost, err := e.lost(ctx, tasks)
	return []Finding{alive, good("asynq", "built with the version whose keys are known; workers with another refuse to start"), lost}, err
}

// lost looks for orders whose worker is gone and that nobody puts back.
func (e *examiner) lost(ctx context.Context, tasks *queue.Tasks) (Finding, error) {
	const check = "orders held"
	held, err := tasks.Active(ctx)
	if err != nil {
		return unchecked(check, "Redis did not answer"), err
	}
	now, err := e.books.Now(ctx)
	if err != nil {
		return unchecked(check, "Redis did not answer"), err
	}
	n := 0
	for _, h := range held {
		if overdue(h, now) {
			n++
		}
	}
	found := fmt.Sprintf("%d with workers, %d of them with one that is gone", len(held), n)
	if n > 0 {
		return warning(check, found, "a worker that runs puts them back within seconds: start one, and see its log if they stay"), nil
	}
	return good(check, found), nil
}

// overdue says whether a lease ended some time ago. One that is missing says
// nothing: an order that is fetched has none yet.
func overdue(held recovery.ActiveTask, now time.Time) bool {
	until, err := strconv.ParseFloat(held.Lease, 64)
	return err == nil && now.Sub(time.Unix(int64(until), 0)) > leaseGrace
}

// queues looks at what waits.
func (e *examiner) queues(ctx context.Context) ([]Finding, error) {
	depths, err := e.inspector.Depths(ctx)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, q := range order.Queues() {
		found = append(found, judgeQueue(q, depths[q]))
		damaged, err := e.inspector.CorruptTasks(ctx, q, toldDamaged)
		if err != nil {
			return found, err
		}
		if n := len(damaged); n > 0 {
			found = append(found, warning("damaged in "+string(q), fmt.Sprintf("%d places that no worker could read were set aside", n),
				"orderctl queues damaged "+string(q)+" shows them; their orders were queued anew; see who else writes to this Redis"))
		}
	}
	return found, nil
}

func judgeQueue(q order.Queue, d stats.Depth) Finding {
	check := string(q)
	found := fmt.Sprintf("%d waiting, %d active, %d retrying, %d scheduled, %d archived", d.Pending, d.Active, d.Retry, d.Scheduled, d.Archived)
	switch {
	case d.Paused:
		return warning(check, "paused: "+found, "orderctl queues resume "+check+", once the reason is gone")
	case d.OldestPending > longWait:
		return warning(check, fmt.Sprintf("the oldest waits for %v: %s", d.OldestPending.Round(time.Second), found),
			"start workers, or see whether the shop answers slowly (latency_ms.processing of orderctl stats)")
	default:
		return good(check, found)
	}
}
