package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"orderprocessor/internal/order"
)

// report shows what became of the sample, and returns an error when anything is
// not as it should be.
func (s *sample) report(w *World, stats statsView, took time.Duration) error {
	w.printf("\n%d orders submitted and settled in %.2f s: %.0f orders per second, by the clock of the client.\n\n",
		s.size, took.Seconds(), float64(s.size)/took.Seconds())
	s.printKinds(w)
	w.printf("\n")
	s.printStatuses(w, stats)
	w.printf("\n")
	printLatency(w.Stdout, stats.LatencyMS)
	w.printf("\nAccepted since the books began: %d. Drift: %s.\n", stats.Ledger.Accepted, driftText(stats.Ledger.Drift))
	if err := s.verdict(stats); err != nil {
		s.printFailures(w)
		return err
	}
	w.printf("\nEvery order ended as the rules say. Without --sample, the service keeps running.\n")
	return nil
}

// printKinds compares what should have happened with what did.
func (s *sample) printKinds(w *World) {
	t := newFigures(w.Stdout)
	t.row("this sample should be", "orders", "right")
	kinds := slices.SortedFunc(maps.Keys(s.kinds), func(a, b expectation) int {
		return cmp.Or(cmp.Compare(a.status, b.status), cmp.Compare(a.String(), b.String()))
	})
	for _, k := range kinds {
		t.row(k, s.kinds[k].sent, s.kinds[k].right)
	}
	_ = t.end()
}

// printStatuses leaves out the statuses that no order has.
func (s *sample) printStatuses(w *World, stats statsView) {
	t := newFigures(w.Stdout)
	t.row("in the books by status", "orders")
	for _, status := range order.Statuses() {
		if n := stats.ByStatus[status]; n != 0 {
			t.row(status, n)
		}
	}
	_ = t.end()
}

func (s *sample) printFailures(w *World) {
	slices.Sort(s.failures)
	for i, f := range s.failures {
		if i == maxToldFailures {
			w.printf("… and %d more\n", len(s.failures)-i)
			return
		}
		w.printf("%s\n", f)
	}
}

func (s *sample) verdict(stats statsView) error {
	switch {
	case len(s.failures) > 0:
		return fmt.Errorf("%d of %d orders did not end as the rules say", len(s.failures), s.size)
	case stats.Ledger.Drift != 0:
		return errors.New("the books do not balance")
	default:
		return nil
	}
}
