package chaos_test

import (
	"slices"
	"strings"
	"time"

	"orderprocessor/internal/client"
)

// recovery returns how long after the loss of their worker orders were begun
// again, in ascending order: of each order that had an open attempt at the time.
func (a *audit) recovery() []time.Duration {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	var all []time.Duration
	for _, o := range a.listed {
		for i, attempt := range o.Attempts[:max(0, len(o.Attempts)-1)] {
			at, lost := a.s.losses[attempt.WorkerID]
			if lost && attempt.EndedAt.After(at) {
				all = append(all, o.Attempts[i+1].StartedAt.Sub(at))
			}
		}
	}
	slices.Sort(all)
	return all
}

// lostWorker reports whether the order's last attempt, or its outcome, is the loss
// of a worker.
func lostWorker(o client.Order) bool {
	last := len(o.Attempts) - 1
	return withoutResult(o.Error) || last >= 0 && withoutResult(o.Attempts[last].Error)
}

// withoutResult reports whether an attempt failed because its worker reported nothing.
func withoutResult(reason string) bool {
	return strings.Contains(reason, "worker was lost") || strings.Contains(reason, "ended without a result")
}

// percentile returns the value below which so many of 100 lie; 0 of none.
func percentile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}
