package ctl

import (
	"fmt"

	"orderprocessor/internal/order"
)

func memoryText(m memoryView) string {
	used := fmt.Sprintf("%.1f MB", float64(m.Used)/(1<<20))
	if m.Limit == 0 {
		return used
	}
	return fmt.Sprintf("%s of %.1f MB, %d %%", used, float64(m.Limit)/(1<<20), m.Used*100/m.Limit)
}

func queueLines(v statsView) []styled {
	lines := make([]styled, 1, 1+len(order.Queues()))
	lines[0] = styled{fmt.Sprintf("%-10s %9s %9s %9s %9s %11s", "queue", "waiting", "active", "retry", "scheduled", "oldest"), bold}
	for _, name := range order.Queues() {
		q := v.Queues[name]
		l := styled{text: fmt.Sprintf("%-10s %9d %9d %9d %9d %9.1f s", name, q.Pending, q.Active, q.Retry, q.Scheduled, q.OldestPendingSeconds)}
		if q.Paused {
			l.text, l.look = l.text+"  PAUSED", yellow
		}
		lines = append(lines, l)
	}
	return lines
}

// statusLines show where the orders are; the three kinds of processing count as one.
func statusLines(v statsView) []styled {
	n := v.ByStatus
	working := n[order.StatusProcessing] + n[order.StatusPriorityProcessing] + n[order.StatusExpedited]
	row := func(open string, a int64, outcome string, b int64) styled {
		return styled{text: fmt.Sprintf("%-10s %5d  %-10s %5d", open, a, outcome, b)}
	}
	return []styled{
		{"status", bold},
		row("scheduled", n[order.StatusScheduled], "completed", n[order.StatusCompleted]),
		row("pending", n[order.StatusPending], "rejected", n[order.StatusRejected]),
		row("processing", working, "failed", n[order.StatusFailed]),
		row("retrying", n[order.StatusRetrying], "cancelled", n[order.StatusCancelled]),
	}
}

func latencyLines(v latencyView) []styled {
	lines := []styled{{fmt.Sprintf("%-12s %8s %8s %8s", "latency, ms", "p50", "p95", "p99"), bold}}
	for _, l := range []struct {
		name string
		quantilesView
	}{{"queue wait", v.QueueWait}, {"processing", v.Processing}, {"end to end", v.EndToEnd}} {
		lines = append(lines, styled{text: fmt.Sprintf("%-12s %8.1f %8.1f %8.1f", l.name, l.P50, l.P95, l.P99)})
	}
	return append(lines, styled{})
}
