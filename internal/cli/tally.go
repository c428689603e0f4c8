package cli

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
	rest     unsent
	failures []failure // the first maxToldFailures
	// anonymous counts the orders that were or may be accepted and whose ids were made
	// here.
	anonymous int
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
	countNoRoom   = "no room"
	countUnknown  = "unknown"
	countUnsent   = "not sent"
)

// accepted counts an order that is new to the API.
func (t *tally) accepted(o submitted) { t.count(countAccepted, o.made, nil) }

// replayed counts an order that the API had already.
func (t *tally) replayed() { t.count(countReplayed, false, nil) }

// refused counts an order that the API does not take, or that is none.
func (t *tally) refused(line int, err error) {
	t.count(countRefused, false, &failure{line, oneLine(err)})
}

// noRoom counts an order that the API had no room for.
func (t *tally) noRoom(o submitted, err error) {
	t.count(countNoRoom, false, &failure{o.line, fmt.Sprintf("order %s was not accepted: %s", order.Printable(o.id), oneLine(err))})
}

// unknown counts an order that the API may have accepted or not.
func (t *tally) unknown(o submitted, err error) {
	t.count(countUnknown, o.made, &failure{o.line, fmt.Sprintf("order %s may or may not be accepted: %s", order.Printable(o.id), oneLine(err))})
}

// left counts the orders that were not sent. Call it once.
func (t *tally) left(rest unsent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = rest
}

// oneLine makes one sentence of an error that may be several.
func oneLine(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", ": ")
}

// count counts one order. An anonymous one may be taken twice if it is sent again.
func (t *tally) count(what string, anonymous bool, f *failure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	t.counts[what]++
	if anonymous {
		t.anonymous++
	}
	if f != nil && len(t.failures) < maxToldFailures {
		t.failures = append(t.failures, *f)
	}
}

// told is how many orders are told one by one; the others are counted.
func (t *tally) told() int {
	return t.counts[countRefused] + t.counts[countNoRoom] + t.counts[countUnknown]
}

func (t *tally) failed() int { return t.told() + t.rest.orders }

func (t *tally) total() int { return t.counts[countAccepted] + t.counts[countReplayed] + t.failed() }

func (t *tally) print(w *World) {
	t.printCounts(w)
	t.printFailures(w)
	if t.failed() > t.counts[countRefused] {
		w.printf("\n%s\n", t.again())
	}
}

// printCounts shows what became of the orders. The figures add up to all of them.
func (t *tally) printCounts(w *World) {
	counts := newTable(w.Stdout)
	counts.row(countAccepted, t.counts[countAccepted])
	counts.row(countReplayed, fmt.Sprintf("%d (the API had them already)", t.counts[countReplayed]))
	counts.row(countRefused, t.counts[countRefused])
	if n := t.counts[countNoRoom]; n > 0 {
		counts.row(countNoRoom, fmt.Sprintf("%d (not accepted)", n))
	}
	if n := t.counts[countUnknown]; n > 0 {
		counts.row(countUnknown, fmt.Sprintf("%d (the API may have them or not)", n))
	}
	if n := t.rest.orders; n > 0 {
		counts.row(countUnsent, fmt.Sprintf("%s%d (from line %d on)", t.atLeast(), n, t.rest.line))
	}
	_ = counts.end()
}

// atLeast stands before a count of which there may be more.
func (t *tally) atLeast() string {
	if t.rest.open {
		return "at least "
	}
	return ""
}

func (t *tally) printFailures(w *World) {
	if t.told() == 0 {
		return
	}
	w.printf("\n")
	slices.SortStableFunc(t.failures, func(a, b failure) int { return cmp.Compare(a.line, b.line) })
	for _, f := range t.failures {
		w.printf("line %d: %s\n", f.line, f.text)
	}
	if more := t.told() - len(t.failures); more > 0 {
		w.printf("… and %d more\n", more)
	}
}

// again says how to submit the orders that may be submitted later.
func (t *tally) again() string {
	if t.anonymous == 0 {
		return "Send the same file again: what was accepted is not taken twice."
	}
	return fmt.Sprintf("Send again only what was not accepted: %s without an id, accepted or unknown, would be taken twice.",
		numberOf(t.anonymous))
}

// verdict is what the command ends with, given what stopped it, if anything did.
func (t *tally) verdict(stopped error) error {
	var left error
	switch {
	case t.failed() > 0:
		left = fmt.Errorf("%d of %s%d orders were not taken", t.failed(), t.atLeast(), t.total())
	case t.total() == 0 && stopped == nil:
		left = errors.New("there is no order in the input")
	}
	if left != nil && stopped != nil {
		return fmt.Errorf("%w; %w", left, stopped)
	}
	return cmp.Or(left, stopped)
}
