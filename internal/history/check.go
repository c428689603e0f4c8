package history

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// DefaultPatience is how long Check looks for an explanation of one order's history.
const DefaultPatience = time.Minute

// Options say what Check may assume.
type Options struct {
	// HoldsExpire means that a rule may let holds expire. Without it a held order stays
	// held until somebody calls.
	HoldsExpire bool
	// Patience bounds the time for one order; 0 is DefaultPatience.
	Patience time.Duration
}

// Report is what Check found.
type Report struct {
	// Orders and Operations count what was checked. Unknown counts all operations whose
	// answers are not known; a Get among them is not checked, as it says nothing.
	Orders, Operations, Unknown int
	// Violations are the orders whose histories have no explanation.
	Violations []Violation
	// Undecided are orders for which none was found in time.
	Undecided []string
}

// Violation is the history of one order up to the first answer that nothing explains.
type Violation struct {
	// Order names the order.
	Order string
	// What is wrong, for people.
	What string
	// Operations are those that were called before the answer, in the order of their
	// calls. The answers that came later count as unknown.
	Operations []Operation
	// At is the index of the operation that has no explanation.
	At int
}

// String describes the violation, with one line for each operation.
func (v Violation) String() string {
	var text strings.Builder
	_, _ = fmt.Fprintf(&text, "order %s: %s", v.Order, v.What)
	for i, o := range v.Operations {
		mark := "  "
		if i == v.At {
			mark = "> "
		}
		_, _ = fmt.Fprintf(&text, "\n%s%s", mark, o)
	}
	return text.String()
}

// Check looks for an explanation of each order's history.
func Check(operations []Operation, options Options) Report {
	report := Report{}
	c := checker{newMachine(options.HoldsExpire), cmp.Or(options.Patience, DefaultPatience)}
	histories := map[string][]Operation{}
	for _, o := range operations {
		if says(o) {
			histories[o.Order] = append(histories[o.Order], o)
			report.Operations++
		}
		if o.Result == Unknown {
			report.Unknown++
		}
	}
	report.Orders = len(histories)
	var mu sync.Mutex
	c.each(histories, func(name string, result porcupine.CheckResult, v Violation) {
		mu.Lock()
		defer mu.Unlock()
		switch result {
		case porcupine.Illegal:
			report.Violations = append(report.Violations, v)
		case porcupine.Unknown:
			report.Undecided = append(report.Undecided, name)
		case porcupine.Ok:
		}
	})
	slices.SortFunc(report.Violations, func(a, b Violation) int { return cmp.Compare(a.Order, b.Order) })
	slices.Sort(report.Undecided)
	return report
}

// says reports whether an operation can have changed the order or says anything about it.
func says(o Operation) bool {
	return o.Result != Refused && (o.Op != Get || o.Result != Unknown)
}

type checker struct {
	machine  *machine
	patience time.Duration
}

// each checks the history of each order, as many at once as there are processors.
func (c checker) each(histories map[string][]Operation, then func(name string, result porcupine.CheckResult, v Violation)) {
	var running sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for name, history := range histories {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			slices.SortFunc(history, func(a, b Operation) int { return cmp.Compare(a.From, b.From) })
			result, v := c.explain(history), Violation{}
			if result == porcupine.Illegal {
				v = c.violation(name, history)
			}
			then(name, result, v)
		})
	}
	running.Wait()
}

// explain reports whether the history of one order has an explanation.
func (c checker) explain(history []Operation) porcupine.CheckResult {
	m := newModel(c.machine, history).porcupine()
	return porcupine.CheckOperationsTimeout(m, intervals(history), c.patience)
}

// intervals gives each operation the time in which it may take effect.
func intervals(history []Operation) []porcupine.Operation {
	all := make([]porcupine.Operation, len(history))
	for i, o := range history {
		to := o.To.Nanoseconds()
		if o.Result == Unknown {
			to = math.MaxInt64
		}
		all[i] = porcupine.Operation{ClientId: o.Client, Input: o, Call: o.From.Nanoseconds(), Return: to}
	}
	return all
}

// violation finds the first answer in a history that nothing explains.
func (c checker) violation(name string, history []Operation) Violation {
	ends := make([]time.Duration, 0, len(history))
	for _, o := range history {
		if o.Result != Unknown {
			ends = append(ends, o.To)
		}
	}
	slices.Sort(ends)
	// A long part that has no explanation may be one that is not decided in time.
	n := sort.Search(len(ends), func(i int) bool { return c.explain(until(history, ends[i])) != porcupine.Ok })
	v := Violation{Order: name, Operations: history, At: len(history) - 1}
	if n < len(ends) { // all, unless an explanation took too long to find
		v.Operations = until(history, ends[n])
		v.At = slices.IndexFunc(v.Operations, func(o Operation) bool { return o.To == ends[n] && o.Result != Unknown })
	}
	v.What = "nothing explains the answer to " + v.Operations[v.At].describe()
	return v
}

// until returns a history as it was known at some time: without what was called later, and
// with the answers that came later unknown.
func until(history []Operation, end time.Duration) (known []Operation) {
	for _, o := range history {
		if o.From > end {
			break
		}
		if o.To > end {
			o.Answer, o.To = Answer{Result: Unknown, Detail: "still open"}, end
		}
		if says(o) {
			known = append(known, o)
		}
	}
	return known
}

// Draw writes the history of a violation as a page of HTML that shows how far it can be
// explained.
func (v Violation) Draw(w io.Writer, options Options) error {
	m := newModel(newMachine(options.HoldsExpire), v.Operations).porcupine()
	_, info := porcupine.CheckOperationsVerbose(m, intervals(v.Operations), DefaultPatience)
	return porcupine.Visualize(m, info, w)
}
