package prove

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"orderprocessor/internal/history"
)

// Verdict says whether a guarantee was kept.
type Verdict string

// The verdicts.
const (
	// Held means that it was put to the test, and nothing contradicts it.
	Held Verdict = "held"
	// Broken means that something contradicts it.
	Broken Verdict = "broken"
	// NotShown means that the run says nothing about it, or too little.
	NotShown Verdict = "not shown"
)

// Name names a guarantee for programs.
type Name string

// The guarantees, as docs/GUARANTEES.md has them.
const (
	Kept    Name = "kept"
	Outcome Name = "outcome"
	Once    Name = "once"
	Cancel  Name = "cancel"
	Retry   Name = "retry"
	Refused Name = "refused"
	Events  Name = "events"
	Books   Name = "books"
	Answers Name = "answers"
)

// Guarantee is a promise with its verdict.
type Guarantee struct {
	Name Name `json:"guarantee"`
	// Promise is what is guaranteed, and Evidence what the verdict rests on, for people.
	Promise  string  `json:"promise"`
	Verdict  Verdict `json:"verdict"`
	Evidence string  `json:"evidence"`
	// Problems contradict the guarantee. There are some if it is broken, and only then.
	Problems []Problem `json:"problems"`
}

// Problem is what contradicts a guarantee.
type Problem struct {
	// Order is an order's id, or its Idempotency-Key; empty for the books.
	Order string `json:"order,omitempty"`
	What  string `json:"what"`
	// Calls are those that lead to it, one each with its times in seconds since Report.Began. The one
	// that cannot be explained is marked.
	Calls []string `json:"calls,omitempty"`
}

// Report is what a run has shown.
type Report struct {
	Run         string    `json:"run"`
	Began       time.Time `json:"began"`
	Seconds     float64   `json:"seconds"`
	Interrupted bool      `json:"interrupted"`
	// Orders counts the orders that were called, Accepted those that are there, and Calls
	// all calls for them. Of these Unknown had no answer that says whether they took
	// effect, and Refused had one that nothing was done.
	Orders   int `json:"orders"`
	Accepted int `json:"accepted"`
	Calls    int `json:"calls"`
	Unknown  int `json:"unknown"`
	Refused  int `json:"refused"`
	// Events and Connections count those of all subscribers.
	Events      int `json:"events"`
	Connections int `json:"connections"`
	// LongestSeconds is the longest time from acceptance, or from when it was due, to
	// outcome, of the orders that were not retried.
	LongestSeconds float64     `json:"longest_seconds"`
	Guarantees     []Guarantee `json:"guarantees"`
}

// Count returns how many guarantees have a verdict.
func (r *Report) Count(v Verdict) (n int) {
	for _, g := range r.Guarantees {
		if g.Verdict == v {
			n++
		}
	}
	return n
}

// patience bounds the search for an explanation of one order's answers.
const patience = 5 * time.Second

// judge makes the report.
type judge struct {
	*run
	operations []history.Operation
	of         map[string][]history.Operation // the same by order
	results    map[call]int
	called     []*target
	blamed     map[string]bool // orders that have a problem, and are not looked at further
	problems   map[Name][]Problem
	checked    history.Report
}

// call is a kind of call with its answer.
type call struct {
	history.Op
	history.Result
}

func (r *run) report(interrupted bool) *Report {
	j := &judge{
		run: r, operations: r.recorder.Operations(), of: map[string][]history.Operation{}, results: map[call]int{}, called: r.called(),
		blamed: map[string]bool{}, problems: map[Name][]Problem{},
	}
	for _, o := range j.operations {
		j.results[call{o.Op, o.Result}]++
		j.of[o.Order] = append(j.of[o.Order], o)
	}
	j.checked = history.Check(j.operations, history.Options{HoldsExpire: true, Patience: patience})
	for _, v := range j.checked.Violations {
		j.blame(blamed(v), v)
		j.blamed[v.Order] = true
	}
	for _, t := range j.called {
		j.checkKept(t)
		j.checkOutcomes(t)
		j.checkRuns(t)
	}
	j.checkWrongOrders()
	j.checkList()
	j.checkBooks()
	j.checkStreams()
	report := &Report{Run: r.Run, Began: r.began, Interrupted: interrupted, Orders: len(j.called), Accepted: r.accepted(), Calls: len(j.operations)}
	report.Guarantees = []Guarantee{
		j.kept(), j.outcome(), j.once(), j.cancel(), j.retry(), j.refused(), j.events(), j.books(), j.answers(),
	}
	for c, n := range j.results {
		switch c.Result {
		case history.Unknown:
			report.Unknown += n
		case history.Refused:
			report.Refused += n
		default:
		}
	}
	report.Events, _, report.Connections = j.received()
	report.LongestSeconds = j.longest().Seconds()
	report.Seconds = r.recorder.Now().Seconds()
	return report
}

// blame notes a violation as a problem of a guarantee.
func (j *judge) blame(name Name, v history.Violation) {
	p := Problem{Order: v.Order, What: v.What}
	for i, o := range v.Operations {
		mark := "  "
		if i == v.At {
			mark = "> "
		}
		p.Calls = append(p.Calls, mark+strings.TrimLeft(o.String(), " "))
	}
	j.problems[name] = append(j.problems[name], p)
}

// find notes a problem of an order with all its calls.
func (j *judge) find(name Name, t *target, format string, args ...any) {
	j.blamed[t.name] = true
	j.blame(name, history.Violation{Order: t.name, What: fmt.Sprintf(format, args...), Operations: j.of[t.name], At: -1})
}

// problem notes one without calls.
func (j *judge) problem(name Name, id, format string, args ...any) {
	j.problems[name] = append(j.problems[name], Problem{Order: id, What: fmt.Sprintf(format, args...)})
}

// verdict makes the verdict of a guarantee from its problems, its evidence, and the reasons
// why it is not shown, of which the first counts.
func (j *judge) verdict(name Name, promise, evidence string, doubts ...string) Guarantee {
	g := Guarantee{Name: name, Promise: promise, Verdict: Held, Evidence: evidence, Problems: j.problems[name]}
	doubt := slices.IndexFunc(doubts, func(text string) bool { return text != "" })
	switch {
	case len(g.Problems) > 0:
		g.Verdict = Broken
		g.Evidence = fmt.Sprintf("problems: %d; %s", len(g.Problems), evidence)
	case doubt >= 0:
		g.Verdict = NotShown
		g.Evidence = doubts[doubt] + "; " + evidence
	}
	return g
}

// when returns a text if a condition is true.
func when(condition bool, format string, args ...any) string {
	if !condition {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// because returns the text of an error, if there is one.
func because(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
