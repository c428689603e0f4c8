package intake_test

import (
	"errors"
	"slices"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/queuetest"
)

// check compares what became of an order with what everybody was told, and returns what
// ended its hold, and who.
func (r *holdRace) check(o *racedOrder) (verdict order.Status, actor string) {
	r.t.Helper()
	events, err := r.ledger.Events(r.t.Context(), o.id)
	queuetest.Must(r.t, err)
	statuses := make([]order.Status, len(events))
	for i, e := range events {
		statuses[i] = e.Status
	}
	if len(events) < 3 || statuses[1] != order.StatusHeld || slices.Contains(statuses[2:], order.StatusHeld) {
		r.t.Errorf("%s was %v", o.id, statuses)
		return "", ""
	}
	end, last := events[2], statuses[len(statuses)-1]
	ways := map[order.Status][][]order.Status{
		order.StatusPending: {
			{order.StatusPriorityProcessing, order.StatusCompleted},
			{order.StatusCancelled},
		},
		order.StatusRejected:  {{}},
		order.StatusCancelled: {{}},
	}[end.Status]
	if !slices.ContainsFunc(ways, func(way []order.Status) bool { return slices.Equal(way, statuses[3:]) }) {
		r.t.Errorf("%s was %v", o.id, statuses)
	}
	if worked := last == order.StatusCompleted; worked != (len(o.calls) == 1) {
		r.t.Errorf("%s is %s, and the shop was called at %v", o.id, last, o.calls)
	}
	for _, call := range o.calls {
		if call.Before(end.At) {
			r.t.Errorf("%s was released at %v, and the shop was called at %v", o.id, end.At, call)
		}
	}
	r.checkTold(o, end, last)
	return end.Status, end.Actor
}

// checkTold checks that those had success who asked for what happened, whoever did it, and
// that all others were told a status that the order had afterwards.
func (r *holdRace) checkTold(o *racedOrder, end order.Event, last order.Status) {
	r.t.Helper()
	happened := map[string]bool{
		"release": end.Status == order.StatusPending, "reject": end.Status == order.StatusRejected, "cancel": last == order.StatusCancelled,
	}
	for contestant, all := range o.verdict {
		for _, err := range all {
			var refused *order.StatusError
			if err == nil && happened[contestant] || errors.As(err, &refused) && !happened[contestant] && refused.Status != order.StatusHeld {
				continue
			}
			r.t.Errorf("%s became %s by %q, then %s, and %s was told %v", o.id, end.Status, end.Actor, last, contestant, err)
		}
	}
	actors := map[order.Status][]string{
		order.StatusPending: {"releases", order.ActorExpiry}, order.StatusRejected: {"rejects", order.ActorExpiry}, order.StatusCancelled: {"cancels"},
	}
	if !slices.Contains(actors[end.Status], end.Actor) {
		r.t.Errorf("%s became %s by %q", o.id, end.Status, end.Actor)
	}
}
