package app

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

const (
	// longWait is the wait of a queue's first order from which on workers are too few or
	// too slow.
	longWait = time.Minute
	// leaseGrace is how long a lease may have expired before it is reported: recovery
	// requeues the order well before.
	leaseGrace = 5 * time.Second
)

func checkWorkers(f *facts) Finding {
	health := stats.Facts{Snapshot: stats.Snapshot{WorkerPool: f.workers, Memory: f.memory}}
	if w := checkWrites(f); w.State == FindingProblem {
		health.Unusable = errors.New(w.Found)
	}
	switch {
	case !health.WorkersKnown():
		return unchecked("unknown, because Redis refuses their heartbeats: " + health.Reason())
	case f.workers.Slots == 0:
		return problem("none is alive: orders are accepted until the queues are full, and wait")
	default:
		return good(fmt.Sprintf("%d alive, with %d slots", f.workers.Workers, f.workers.Slots))
	}
}

// checkShop reports how the shop answers the calls of all workers.
func checkShop(f *facts) Finding {
	v := f.shop.Verdict()
	if v.What == "" {
		return good(fmt.Sprintf("%.1f a second in the last minute, %.0f %% of them accepted", f.shop.CallsPerSecond(), 100*f.shop.SuccessRatio()))
	}
	found := v.What
	if !v.Since.IsZero() {
		found += " since " + v.Since.Format(time.RFC3339)
	}
	if f.shop.LastError != "" {
		found += ": " + f.shop.LastError
	}
	if v.Level == stats.LevelBad {
		return problem(found).advise(v.Advice)
	}
	return warning(found).advise(v.Advice)
}

func checkAsynq(f *facts) Finding {
	if f.tasksErr != nil {
		return warning(f.tasksErr.Error() + ": workers run plain Asynq servers, and tasks in the queues are not repaired")
	}
	return good("built with the version whose keys are known")
}

// checkHeld finds orders whose worker is gone and that nobody requeues.
func checkHeld(f *facts) Finding {
	if f.tasksErr != nil {
		return Finding{}
	}
	orphans := 0
	for _, held := range f.held {
		if expired(held.Lease, f.now) {
			orphans++
		}
	}
	found := fmt.Sprintf("%d, %d of them with a worker that is gone", len(f.held), orphans)
	if orphans > 0 {
		return warning(found)
	}
	return good(found)
}

// expired reports whether a lease expired some time ago. A missing lease proves
// nothing: an order that is being fetched has none yet.
func expired(lease string, now time.Time) bool {
	until, err := strconv.ParseFloat(lease, 64)
	return err == nil && now.Sub(time.Unix(int64(until), 0)) > leaseGrace
}

func checkQueue(q order.Queue, d stats.Depth) Finding {
	found := fmt.Sprintf("%d waiting, %d active, %d retrying, %d scheduled, %d archived", d.Pending, d.Active, d.Retry, d.Scheduled, d.Archived)
	switch {
	case d.Paused:
		return warning("paused: " + found).advise("orderctl queues resume " + string(q) + ", once the reason is gone")
	case d.OldestPending > longWait:
		return warning(fmt.Sprintf("the oldest waits for %v: %s", d.OldestPending.Round(time.Second), found)).
			advise("start workers, or see whether the shop answers slowly (latency_ms.processing of orderctl stats)")
	default:
		return good(found)
	}
}

func checkCorrupt(tasks int) Finding {
	if tasks == 0 {
		return Finding{}
	}
	return warning(fmt.Sprintf("%d tasks that no worker could decode are stored", tasks))
}
