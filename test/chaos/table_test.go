package chaos_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// verdict is what a scenario came to.
type verdict struct {
	// Orders counts the recorded orders, Faults what was done to the system.
	Orders, Faults int
	// Lost counts orders without an outcome, Invented outcomes without an order.
	Lost, Invented int
	// Duplicated counts effects and countings beyond one per order.
	Duplicated int
	// Drift counts disagreements between books, statistics and journals.
	Drift int
	// Leaked counts keys that belong to nothing.
	Leaked int
	// Recovery is how long after a loss orders were begun again, ascending.
	Recovery []time.Duration
}

// table collects the verdicts of a run. It is safe for concurrent use.
type table struct {
	mu   sync.Mutex
	rows []string
}

func (t *table) add(name string, seed uint64, v verdict) {
	cells := []string{name}
	for _, n := range []int{v.Orders, v.Faults, v.Lost, v.Invented, v.Duplicated, v.Drift, v.Leaked} {
		cells = append(cells, strconv.Itoa(n))
	}
	cells = append(cells, recovered(v.Recovery, 99), recovered(v.Recovery, 100), strconv.FormatUint(seed, 10))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, strings.Join(cells, "\t"))
}

func recovered(sorted []time.Duration, percent int) string {
	if len(sorted) == 0 {
		return "-"
	}
	return percentile(sorted, percent).Round(100 * time.Millisecond).String()
}

// String lays the table out.
func (t *table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.Sort(t.rows)
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "scenario\torders\tfaults\tlost\tinvented\tduplicated\tdrift\tleaked keys\trecovery p99\tmax\tseed")
	for _, row := range t.rows {
		_, _ = fmt.Fprintln(w, row)
	}
	_ = w.Flush()
	return text.String()
}

// publish prints the table, and writes it to CHAOS_REPORT after a long run.
func (t *table) publish() error {
	text := t.String()
	fmt.Print("\n" + text)
	path := os.Getenv("CHAOS_REPORT")
	if path == "" || !long() {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
