package prove

import (
	"fmt"
	"slices"

	"orderprocessor/internal/history"
)

// checkBooks wants statistics that balance, and that count all own orders.
func (j *judge) checkBooks() {
	b, a := j.before, j.after
	if !a.read || !b.read || a.away+b.away > 0 {
		return
	}
	if b.drift != 0 || a.drift != 0 {
		j.problem(Books, "", "the drift was %d before the run, and %d after it", b.drift, a.drift)
	}
	if own := j.accepted(); a.accepted-b.accepted < int64(own) {
		j.problem(Books, "", "%d own orders are there, and the statistics count %d orders more than before", own, a.accepted-b.accepted)
	}
}

func (j *judge) books() Guarantee {
	b, a := j.before, j.after
	return j.verdict(Books, "the books balance",
		fmt.Sprintf("drift %d before and %d after; %d orders more, of which %d are own; %d own orders listed", b.drift, a.drift, max(0, a.accepted-b.accepted), j.accepted(), len(j.listed.orders)),
		j.unread(), because(b.err), because(a.err), when(!b.read || !a.read, "the statistics were not read twice"), when(a.away+b.away > 0, "some books are away"),
		because(j.listed.err), when(j.listed.incomplete, "the archive is away"), when(!j.listed.read, "the list was not read"))
}

// checkList wants each order that is there in the list once, as it was read, and no other.
func (j *judge) checkList() {
	if !j.listed.read || j.listed.err != nil || j.listed.incomplete {
		return
	}
	own, unnamed := map[string]bool{}, false
	for _, t := range j.called {
		own[t.id] = true
		unnamed = unnamed || t.id == "" && t.submit
		listed := j.listed.orders[t.id]
		switch {
		case t.final.Result != history.Done || j.blamed[t.name]:
		case len(listed) != 1:
			j.find(Books, t, "the list has it %d times", len(listed))
		case listed[0].Status != t.final.Status && t.final.Status.Settled():
			j.find(Books, t, "the list has it as %s, and it is %s", listed[0].Status, t.final.Status)
		}
	}
	for id := range j.listed.orders {
		wrong := slices.ContainsFunc(j.wrong, func(w *wrongOrder) bool { return w.id == id })
		if !own[id] && !unnamed && !wrong {
			j.problem(Once, id, "it is in the list of the run's customer, and was not submitted under this id")
		}
	}
}
