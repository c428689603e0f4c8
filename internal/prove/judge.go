package prove

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"orderprocessor/internal/history"
	"orderprocessor/internal/order"
)

// shownIDs bounds the ids that a sentence has.
const shownIDs = 5

// unread says that the last reads are missing, and why.
func (j *judge) unread() string {
	switch {
	case j.rights.submit != nil:
		return "the key may not submit: " + because(j.rights.submit)
	case j.rights.read != nil:
		return "the key may not read: " + because(j.rights.read)
	case len(j.called) == 0:
		return "no order was called"
	}
	n, why := 0, ""
	for _, t := range j.called {
		switch {
		case t.id == "" && t.submit:
			n, why = n+1, "no submission was answered"
		case t.id == "", t.final.Result == history.Done && t.problem == nil, t.final.Result == history.NotFound, t.final.Result == history.Unexpected:
		default:
			n, why = n+1, t.final.Detail+because(t.problem)
		}
	}
	switch {
	case n > 0 && why == "":
		return fmt.Sprintf("%d orders were not read again", n)
	case n > 0:
		return fmt.Sprintf("%d orders could not be read: %s", n, why)
	default:
		return when(!j.last, "the last reads are missing")
	}
}

// created reports whether an order was answered 201.
func (j *judge) created(t *target) bool {
	return slices.ContainsFunc(j.of[t.name], func(o history.Operation) bool { return o.Result == history.Created })
}

// checkKept wants an accepted order to be there, whatever else is wrong with it.
func (j *judge) checkKept(t *target) {
	if t.final.Result == history.NotFound && j.created(t) && !j.found(Kept, t.name) {
		j.find(Kept, t, "it was answered 201, and is not found")
	}
}

func (j *judge) kept() Guarantee {
	created, found := 0, 0
	for _, t := range j.called {
		if j.created(t) {
			created++
			if t.final.Result == history.Done {
				found++
			}
		}
	}
	return j.verdict(Kept, "accepted orders are not lost", fmt.Sprintf("%d orders were answered 201, and %d of them found at the end", created, found),
		j.unread(), when(created == 0, "no order was answered 201"))
}

func (j *judge) outcome() Guarantee {
	ends, stuck := map[order.Status]int{}, []string{}
	later := []string{}
	for _, t := range j.called {
		switch s := t.final.Status; {
		case t.final.Result != history.Done:
		case s.Settled():
			ends[s]++
		case s == order.StatusHeld || s == order.StatusRetrying:
			later = append(later, fmt.Sprintf("%s is %s%s", t.id, s, j.next(t)))
		default:
			stuck = append(stuck, fmt.Sprintf("%s is %s", t.id, s))
		}
	}
	var parts []string
	for _, s := range order.Statuses() {
		if ends[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", ends[s], s))
		}
	}
	evidence := strings.Join(append(parts, fmt.Sprintf("longest %.1f s", j.longest().Seconds())), ", ")
	if len(later) > 0 {
		evidence += fmt.Sprintf("; %d still moving: %s", len(later), some(later))
	}
	return j.verdict(Outcome, "each accepted order has one outcome", evidence, j.unread(),
		when(len(stuck) > 0, "%d orders have no outcome yet: %s", len(stuck), some(stuck)), when(len(ends) == 0, "no order has its outcome"))
}

// next says when the next attempt at an order is due, if there is one.
func (j *judge) next(t *target) string {
	for _, o := range j.listed.orders[t.id] {
		if !o.NextAttemptAt.IsZero() {
			return ", next attempt at " + order.FormatTime(o.NextAttemptAt)
		}
	}
	return ""
}

// some returns the first of many texts, for a sentence.
func some(texts []string) string {
	text := strings.Join(texts[:min(len(texts), shownIDs)], ", ")
	if len(texts) > shownIDs {
		text += ", …"
	}
	return text
}

// checkOutcomes looks for a second outcome in a timeline. Only a retry may follow one.
func (j *judge) checkOutcomes(t *target) {
	for i := 1; i < len(t.timeline); i++ {
		before, e := t.timeline[i-1], t.timeline[i]
		retried := before.Status.Retryable() && e.Status == order.StatusPending
		if before.Status.Settled() && e.Sequence == before.Sequence+1 && !retried {
			j.find(Outcome, t, "in its timeline event %d, %s, follows the outcome %s", e.Sequence, e.Status, before.Status)
		}
	}
}

// longest is the longest time to an outcome, by the clock of Redis, of the orders that had one run.
func (j *judge) longest() (longest time.Duration) {
	for _, t := range j.called {
		if t.final.Status == order.StatusCancelled || !t.final.Status.Settled() || len(t.timeline) == 0 || pendings(t) > 0 {
			continue
		}
		from := t.timeline[0].Time
		if t.due.After(from) {
			from = t.due
		}
		longest = max(longest, t.timeline[len(t.timeline)-1].Time.Sub(from))
	}
	return longest
}

// pendings counts how often an order became pending again.
func pendings(t *target) (n int) {
	for _, e := range t.timeline {
		if e.Sequence > 1 && e.Status == order.StatusPending {
			n++
		}
	}
	return n
}

func (j *judge) once() Guarantee {
	repeats, others := j.results[call{history.Submit, history.Replayed}], j.results[call{history.Submit, history.OtherContent}]
	return j.verdict(Once, "an order is accepted once",
		fmt.Sprintf("%d repeats with the same content were answered 200, and %d with other content refused", repeats, others),
		when(j.rights.submit != nil, "the key may not submit: %s", because(j.rights.submit)),
		when(repeats == 0, "no repeat was answered 200"), when(others == 0, "no other content was refused"))
}

func (j *judge) cancel() Guarantee {
	done := j.results[call{history.Cancel, history.Done}]
	late := j.results[call{history.Cancel, history.Conflict}] + j.results[call{history.Cancel, history.InDoubt}]
	return j.verdict(Cancel, "a cancel answered 200 holds", fmt.Sprintf("%d cancels were answered 200, and %d came too late", done, late),
		j.unread(), when(done == 0, "no cancel was answered 200%s", j.why(history.Cancel)))
}

// why returns what calls were refused for, if there was anything.
func (j *judge) why(op history.Op) string {
	for _, o := range j.operations {
		if o.Op == op && o.Detail != "" {
			return ": " + o.Detail
		}
	}
	return ""
}

func (j *judge) retry() Guarantee {
	done := j.results[call{history.Retry, history.Done}]
	return j.verdict(Retry, "a retry answered 202 begins another run",
		fmt.Sprintf("%d retries were answered 202, and %d refused, as the order had neither failed nor been rejected", done, j.results[call{history.Retry, history.Conflict}]),
		j.unread(), when(j.rights.admin != nil, "the key may not retry: %s", because(j.rights.admin)),
		when(done == 0, "no order was failed or rejected when it was retried%s", j.why(history.Retry)))
}

// checkRuns compares the timeline of an order with the calls that made it pending again.
func (j *judge) checkRuns(t *target) {
	if n := len(t.timeline); n == 0 || t.timeline[n-1].Sequence != n || j.blamed[t.name] {
		return // its middle is no longer kept
	}
	retries, releases := 0, 0
	for _, o := range j.of[t.name] {
		switch {
		case o.Result != history.Done:
		case o.Op == history.Retry:
			retries++
		case o.Op == history.Release:
			releases = 1 // or more, as it may be repeated
		}
	}
	if got := pendings(t); got < retries+releases {
		j.find(Retry, t, "%d retries were answered 202, and its timeline has %d further runs", retries, got)
	}
}

// checkWrongOrders looks for wrong orders that were accepted, or refused and recorded.
func (j *judge) checkWrongOrders() {
	for _, w := range j.wrong {
		left := w.read && w.found == nil || len(j.listed.orders[w.id]) > 0
		for _, l := range j.streams {
			left = left || l.last[w.id] > 0
		}
		switch {
		case w.sent > 0 && w.answer == nil:
			j.problem(Refused, w.id, "a wrong order was accepted %.4f s after the beginning: %s", w.sent.Seconds(), w.body)
		case w.refused && left:
			j.problem(Refused, w.id, "it was refused %.4f s after the beginning with %v, and is there", w.sent.Seconds(), w.answer)
		}
	}
}

func (j *judge) refused() Guarantee {
	refused, read := 0, 0
	var other error
	for _, w := range j.wrong {
		switch {
		case w.refused && w.read:
			refused, read = refused+1, read+1
		case w.refused:
			refused++
		case w.answer != nil:
			other = w.answer
		}
	}
	return j.verdict(Refused, "a refused order leaves nothing behind", fmt.Sprintf("%d wrong orders were refused with 400, and %d of them looked for", refused, read),
		j.unread(), when(refused == 0, "no wrong order was refused with 400: %v", other), when(read < refused, "not all were looked for"))
}

func (j *judge) answers() Guarantee {
	return j.verdict(Answers, "all answers about an order agree",
		fmt.Sprintf("%d calls for %d orders, %d of them with an answer that leaves their effect open", len(j.operations), len(j.called), j.checked.Unknown),
		when(j.checked.Operations == 0, "no call was answered"),
		when(len(j.checked.Undecided) > 0, "no explanation was found in time for %s", some(j.checked.Undecided)))
}
