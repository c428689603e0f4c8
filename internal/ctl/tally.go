package ctl

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"orderprocessor/internal/order"
)

// tally counts what became of the orders of a file. It is safe for concurrent
// use.
type tally struct {
	mu       sync.Mutex
	counts   map[string]int
	failures []failure // the first maxToldFailures
}

type failure struct {
	line int
	text string
}

// What can become of an order that is submitted.
const (
	countAccepted = "accepted"
	countReplayed = "replayed"
	countRefused  = "refused"
	countUnknown  = "unknown"
)

// accepted counts an order that is new to the API.
func (t *tally) accepted() { t.count(countAccepted, nil) }

// replayed counts an order that the API had already.
func (t *tally) replayed() { t.count(countReplayed, nil) }

// refused counts an order that the API does not take, or that is none.
func (t *tally) refused(line int, err error) {
	t.count(countRefused, &failure{line, oneLine(err)})
}

// unknown counts an order that the API may have accepted or not.
func (t *tally) unknown(line int, id string, err error) {
	t.count(countUnknown, &failure{line, fmt.Sprintf("order %s may or may not be accepted: %s", order.Printable(id), oneLine(err))})
}

// oneLine makes one sentence of an error that may be several.
func oneLine(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", ": ")
}

func (t *tally) count(what string, f *failure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	t.counts[what]++
	if f != nil && len(t.failures) < maxToldFailures {
		t.failures = append(t.failures, *f)
	}
}

func (t *tally) failed() int { return t.counts[countRefused] + t.counts[countUnknown] }

func (t *tally) print(w *World) {
	counts := newTable(w.Stdout)
	counts.row(countAccepted, t.counts[countAccepted])
	counts.row(countReplayed, fmt.Sprintf("%d (the API had them already)", t.counts[countReplayed]))
	counts.row(countRefused, t.counts[countRefused])
	if n := t.counts[countUnknown]; n > 0 {
		counts.row(countUnknown, n)
	}
	counts.end()
	if t.failed() == 0 {
		return
	}
	w.printf("\n")
	slices.SortStableFunc(t.failures, func(a, b failure) int { return cmp.Compare(a.line, b.line) })
	for _, f := range t.failures {
		w.printf("line %d: %s\n", f.line, f.text)
	}
	if more := t.failed() - len(t.failures); more > 0 {
		w.printf("… and %d more\n", more)
	}
}

// err is what the command ends with.
func (t *tally) err() error {
	total := t.counts[countAccepted] + t.counts[countReplayed] + t.failed()
	switch {
	case total == 0:
		return errors.New("there is no order in the input")
	case t.failed() > 0:
		return fmt.Errorf("%d of %d orders were not taken", t.failed(), total)
	default:
		return nil
	}
}
