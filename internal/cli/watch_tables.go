package cli

import (
	"fmt"
	"strconv"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/order"
)

func memoryText(m memoryView) string {
	if m.Limit == 0 {
		return "Redis " + app.Mebibytes(m.Used)
	}
	return fmt.Sprintf("Redis %s of %s, %d %%", app.Mebibytes(m.Used), app.Mebibytes(m.Limit), m.Used*100/m.Limit)
}

func queueLines(v statsView) []styled {
	lines := make([]styled, 1, 1+len(order.Queues()))
	lines[0] = styled{fmt.Sprintf("%-10s %9s %9s %9s %9s %11s", "queue", "waiting", "active", "retry", "scheduled", "oldest"), bold}
	for _, name := range order.Queues() {
		q := v.Queues[name]
		l := styled{text: fmt.Sprintf("%-10s %9s %9s %9s %9s %9.1f s", name,
			briefly(q.Pending, queueFigure), briefly(q.Active, queueFigure), briefly(q.Retry, queueFigure), briefly(q.Scheduled, queueFigure), q.OldestPendingSeconds)}
		if q.Paused {
			l.text, l.look = l.text+"  PAUSED", yellow
		}
		lines = append(lines, l)
	}
	return lines
}

// The widths of the tables of statuses and of latencies, and of figures.
const (
	queueFigure   = 9
	statusFigure  = 7
	statusWidths  = 37
	latencyWidths = 38
)

// statusLines show where the orders are; the three kinds of processing count as one.
func statusLines(v statsView) []styled {
	n := v.ByStatus
	working := n[order.StatusProcessing] + n[order.StatusPriorityProcessing] + n[order.StatusExpedited]
	row := func(open string, a int64, outcome string, b int64) styled {
		return styled{text: fmt.Sprintf("%-10s %7s  %-9s %7s", open, briefly(a, statusFigure), outcome, briefly(b, statusFigure))}
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
	lines := []styled{{fmt.Sprintf("%-11s %8s %8s %8s", "latency, ms", "p50", "p95", "p99"), bold}}
	for _, l := range []struct {
		name string
		quantilesView
	}{{"queue wait", v.QueueWait}, {"processing", v.Processing}, {"end to end", v.EndToEnd}} {
		lines = append(lines, styled{text: fmt.Sprintf("%-11s %8s %8s %8s", l.name, lasting(l.P50), lasting(l.P95), lasting(l.P99))})
	}
	return append(lines, styled{})
}

// briefly writes a number of orders in at most so many characters, at least six:
// rounded, where it would be longer.
func briefly(n int64, most int) string {
	text := strconv.FormatInt(n, 10)
	for _, unit := range []struct {
		name string
		of   float64
	}{{"M", 1e6}, {"G", 1e9}, {"T", 1e12}} {
		if len(text) <= most {
			break
		}
		text = fmt.Sprintf("%.1f%s", float64(n)/unit.of, unit.name)
	}
	return text
}

// lasting writes milliseconds in at most eight characters: long ones as seconds or
// days, with the unit.
func lasting(ms float64) string {
	const exact, seconds = 999_999, 999_999_000 // up to these they fit
	switch {
	case ms < exact:
		return fmt.Sprintf("%.1f", ms)
	case ms < seconds:
		return fmt.Sprintf("%.0f s", ms/1000)
	default:
		return fmt.Sprintf("%.0f d", ms/float64((24*time.Hour).Milliseconds()))
	}
}
