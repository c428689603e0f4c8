package cli

import (
	"fmt"
	"time"
)

// print shows the result to people.
func (r *loadReport) print(w *World) {
	t := newTable(w.Stdout)
	t.row("   asked", fmt.Sprintf("%d orders per second for %v, %s", r.Rate, r.duration(), r.form()))
	t.row("   sent", fmt.Sprintf("%d orders, %.1f per second", r.Sent, r.SentPerSecond))
	t.row("   accepted", r.Accepted)
	for _, kind := range r.Refused {
		t.row("   refused", fmt.Sprintf("%d with %s", kind.Orders, kind.refusal))
	}
	if len(r.Refused) == 0 {
		t.row("   refused", 0)
	}
	t.row("   no answer", r.unanswered())
	_ = t.end()
	w.printf("\n")
	r.printLatency(w)
	if r.System != nil {
		r.System.print(w)
	}
	w.printf("\n")
	r.printVerdicts(w)
}

func (r *loadReport) duration() time.Duration {
	return time.Duration(r.DurationSeconds * float64(time.Second))
}

// form says how the orders were sent.
func (r *loadReport) form() string {
	if r.Batch > 1 {
		return fmt.Sprintf("in batches of %d, %v", r.Batch, r.Mix)
	}
	return fmt.Sprintf("one by one, %v", r.Mix)
}

func (r *loadReport) unanswered() string {
	if r.NoAnswer == 0 {
		return "0"
	}
	return fmt.Sprintf("%d, the first for: %s", r.NoAnswer, r.NoAnswerReason)
}

// String is for the table.
func (r refusal) String() string {
	if r.Status == 0 {
		return r.Reason
	}
	return fmt.Sprintf("%d %s", r.Status, r.Reason)
}

func (r *loadReport) printLatency(w *World) {
	t := newFigures(w.Stdout)
	t.row("latency of the answers in ms", "p50", "p90", "p95", "p99", "max")
	l, cells := r.LatencyMS, make([]any, 0, 5)
	for _, ms := range []float64{l.P50, l.P90, l.P95, l.P99, l.Max} {
		cells = append(cells, fmt.Sprintf("%.1f", ms))
	}
	t.row("since the request was due", cells...)
	_ = t.end()
}

// print shows what everybody's orders did meanwhile.
func (m *meanwhile) print(w *World) {
	w.printf("\nThe whole system meanwhile, in %.1f s:\n\n", m.Seconds)
	t := newTable(w.Stdout)
	t.row("   settled", fmt.Sprintf("%d orders, %.1f per second", m.Settled, m.SettledPerSecond))
	t.row("   backlog", fmt.Sprintf("%d orders before, %d after: %+.1f per second", m.BacklogBefore, m.BacklogAfter, m.GrowthPerSecond))
	_ = t.end()
	w.printf("\nAll orders decided in the last five minutes:\n\n")
	printLatency(w.Stdout, m.RecentMS)
}

func (r *loadReport) printVerdicts(w *World) {
	switch {
	case r.Interrupted:
		w.printf("The load was interrupted.\n")
	case r.RateKept:
		w.printf("The rate was kept.\n")
	default:
		w.printf("The rate was NOT kept, %.1f of %d orders per second were sent: this machine, the network or the API is too slow.\n",
			r.SentPerSecond, r.Rate)
	}
	if r.System == nil {
		w.printf("Whether the workers kept up is not known: %v\n", r.noStats)
		return
	}
	w.printf("%s\n", r.System.verdict())
}
