package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

// maxShownFailures bounds the list of failures; the rest is counted.
const maxShownFailures = 20

// submitReport counts the outcomes of the orders of a file. It is safe for
// concurrent use until it is printed.
type submitReport struct {
	mu                                           sync.Mutex
	accepted, replayed, refused, noRoom, unknown int
	unsent, unsentLine                           int // how many, and the first of them
	incomplete, frozen                           bool
	withoutID                                    int // accepted or unknown, with an id from submit
	failures                                     []failure
}

type failure struct {
	line int
	text string
}

// addRefused counts an order that the API refuses, or that is none.
func (r *submitReport) addRefused(line int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused++
	r.fail(line, oneLine(err))
}

// addUnsent counts an order that was not sent.
func (r *submitReport) addUnsent(e entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen {
		return
	}
	if r.unsent == 0 || e.line < r.unsentLine {
		r.unsentLine = e.line
	}
	r.unsent++
}

// freeze ends the counting of unsent orders. There may be more of them than were
// counted if the file was not read to its end.
func (r *submitReport) freeze(incomplete bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.incomplete, r.frozen = incomplete, true
}

// add counts an order that was sent.
func (r *submitReport) add(line int, o identified, sent client.Submission) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case sent.Err == nil && sent.Replayed && !o.made:
		r.replayed++
		return
	case sent.Err == nil: // a replay of an id made here is a repeat of our own, perhaps within the API
		r.accepted++
	case sent.Unknown != nil:
		r.unknown++
		r.fail(line, fmt.Sprintf("order %s may or may not be accepted: %s", order.Printable(o.id), oneLine(sent.Unknown)))
	case client.NoRoom(sent.Err):
		r.noRoom++
		r.fail(line, fmt.Sprintf("order %s was not accepted: %s", order.Printable(o.id), oneLine(sent.Err)))
		return
	default:
		r.refused++
		r.fail(line, oneLine(sent.Err))
		return
	}
	if o.made {
		r.withoutID++
	}
}

func (r *submitReport) fail(line int, text string) {
	if len(r.failures) < maxShownFailures {
		r.failures = append(r.failures, failure{line, text})
	}
}

func (r *submitReport) failed() int { return r.refused + r.noRoom + r.unknown }

func (r *submitReport) total() int { return r.accepted + r.replayed + r.failed() + r.unsent }

// atLeast precedes a count of which there may be more.
func (r *submitReport) atLeast() string {
	if r.incomplete {
		return "at least "
	}
	return ""
}

// print shows the counts, which add up to all orders, and the failures.
func (r *submitReport) print(w *World) {
	t := newTable(w.Stdout)
	t.row("accepted", r.accepted)
	t.row("replayed", fmt.Sprintf("%d (the API had them already)", r.replayed))
	t.row("refused", r.refused)
	if r.noRoom > 0 {
		t.row("no room", fmt.Sprintf("%d (not accepted)", r.noRoom))
	}
	if r.unknown > 0 {
		t.row("unknown", fmt.Sprintf("%d (the API may or may not have them)", r.unknown))
	}
	if r.unsent > 0 {
		t.row("not sent", fmt.Sprintf("%s%d (from line %d on)", r.atLeast(), r.unsent, r.unsentLine))
	}
	t.flush()
	r.printFailures(w)
	switch {
	case r.noRoom+r.unknown+r.unsent == 0:
	case r.withoutID == 0:
		w.printf("\nSend the same file again: what was accepted is not accepted twice.\n")
	default:
		w.printf("\nSend again only what was not accepted: %s without an id, accepted or unknown, would be accepted twice.\n",
			countOrders(r.withoutID))
	}
}

func (r *submitReport) printFailures(w *World) {
	if r.failed() == 0 {
		return
	}
	w.printf("\n")
	slices.SortStableFunc(r.failures, func(a, b failure) int { return cmp.Compare(a.line, b.line) })
	for _, f := range r.failures {
		w.printf("line %d: %s\n", f.line, f.text)
	}
	if more := r.failed() - len(r.failures); more > 0 {
		w.printf("… and %d more\n", more)
	}
}

// err is the error of the command, given the one that stopped it, if any.
func (r *submitReport) err(stopped error) error {
	switch missing := r.failed() + r.unsent; {
	case missing > 0 && stopped != nil:
		return fmt.Errorf("%d of %s%d orders were not accepted; %w", missing, r.atLeast(), r.total(), stopped)
	case missing > 0:
		return fmt.Errorf("%d of %s%d orders were not accepted", missing, r.atLeast(), r.total())
	case r.total() == 0 && stopped == nil:
		return errors.New("there is no order in the input")
	default:
		return stopped
	}
}
