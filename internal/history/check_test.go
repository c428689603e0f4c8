package history_test

import (
	"testing"
	"time"

	"orderprocessor/internal/history"
	"orderprocessor/internal/order"
)

// submit is a submission by id.
func submit(content string, r history.Result, s order.Status, attempts int) history.Operation {
	o := shows(history.Submit, r, s, attempts)
	o.Call.ID, o.Call.Content = "o", content
	if r == history.OtherContent {
		o.Answer = history.Answer{Result: r}
	} else {
		o.Answer.Content = content
	}
	return o
}

func created(content string) history.Operation {
	return submit(content, history.Created, order.StatusPending, 0)
}

// keyed makes a submission one by key.
func keyed(o history.Operation) history.Operation {
	o.Call.ID = ""
	return o
}

// shows is a call whose answer shows an order with the content a.
func shows(op history.Op, r history.Result, s order.Status, attempts int) history.Operation {
	return history.Operation{
		Call:   history.Call{Op: op, Order: "o", ID: "o"},
		Answer: history.Answer{Result: r, ID: "o", Content: "a", Status: s, Attempts: attempts},
	}
}

func get(s order.Status, attempts int) history.Operation {
	return shows(history.Get, history.Done, s, attempts)
}

func done(op history.Op, s order.Status, attempts int) history.Operation {
	return shows(op, history.Done, s, attempts)
}

// refused is a call whose answer shows a status alone, or nothing.
func refused(op history.Op, r history.Result, s order.Status) history.Operation {
	return history.Operation{Call: history.Call{Op: op, Order: "o", ID: "o"}, Answer: history.Answer{Result: r, Status: s}}
}

func unknown(op history.Op) history.Operation { return refused(op, history.Unknown, "") }

// inTurn gives operations their times: one after the other.
func inTurn(all ...history.Operation) []history.Operation {
	for i := range all {
		if all[i].To == 0 {
			all[i].From, all[i].To = time.Duration(2*i+2)*time.Second, time.Duration(2*i+3)*time.Second
		}
	}
	return all
}

// during gives an operation its time, in seconds.
func during(from, to int, o history.Operation) history.Operation {
	o.From, o.To = time.Duration(from)*time.Second, time.Duration(to)*time.Second
	return o
}

const (
	pending    = order.StatusPending
	scheduled  = order.StatusScheduled
	held       = order.StatusHeld
	processing = order.StatusProcessing
	expedited  = order.StatusExpedited
	retrying   = order.StatusRetrying
	completed  = order.StatusCompleted
	rejected   = order.StatusRejected
	failed     = order.StatusFailed
	cancelled  = order.StatusCancelled
)

// TestDefects checks histories that nothing explains, each beside one that differs from it
// by the defect alone.
func TestDefects(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		defect        string
		legal, broken []history.Operation
		expire        bool // holds may expire
	}{
		{
			defect: "an accepted order is lost",
			legal:  inTurn(refused(history.Get, history.NotFound, ""), created("a")),
			broken: inTurn(created("a"), refused(history.Get, history.NotFound, "")),
		},
		{
			defect: "an order is there before it was submitted",
			legal:  inTurn(during(1, 4, created("a")), during(2, 3, get(pending, 0))),
			broken: inTurn(during(4, 5, created("a")), during(2, 3, get(pending, 0))),
		},
		{
			defect: "an order is accepted twice",
			legal:  inTurn(created("a"), submit("a", history.Replayed, pending, 0)),
			broken: inTurn(created("a"), created("a")),
		},
		{
			defect: "an id is accepted with other content",
			legal:  inTurn(created("a"), submit("b", history.OtherContent, "", 0)),
			broken: inTurn(created("a"), submit("b", history.Created, pending, 0)),
		},
		{
			defect: "other content is answered as a repeat",
			legal:  inTurn(created("a"), submit("a", history.Replayed, completed, 1)),
			broken: inTurn(created("a"), submit("b", history.Replayed, completed, 1)),
		},
		{
			defect: "the same content is answered as other content",
			legal:  inTurn(created("a"), submit("b", history.OtherContent, "", 0)),
			broken: inTurn(created("a"), submit("a", history.OtherContent, "", 0)),
		},
		{
			defect: "a key is accepted with other content",
			legal:  inTurn(keyed(created("a")), keyed(submit("b", history.OtherContent, "", 0))),
			broken: inTurn(keyed(created("a")), keyed(submit("b", history.Replayed, pending, 0))),
		},
		{
			defect: "a repeat by key does not show the first answer",
			legal:  inTurn(keyed(created("a")), get(completed, 1), keyed(submit("a", history.Replayed, pending, 0))),
			broken: inTurn(keyed(created("a")), get(completed, 1), keyed(submit("a", history.Replayed, completed, 1))),
		},
		{
			defect: "a repeat by id shows the first answer",
			legal:  inTurn(created("a"), get(completed, 1), submit("a", history.Replayed, completed, 1)),
			broken: inTurn(created("a"), get(completed, 1), submit("a", history.Replayed, pending, 0)),
		},
		{
			defect: "an order with other content is shown",
			legal:  inTurn(unknown(history.Submit), created("a"), get(pending, 0)),
			broken: inTurn(unknown(history.Submit), submit("b", history.Created, pending, 0), get(pending, 0)),
		},
		{
			defect: "a cancelled order completes",
			legal:  inTurn(created("a"), refused(history.Cancel, history.Conflict, processing), get(completed, 1)),
			broken: inTurn(created("a"), done(history.Cancel, cancelled, 0), get(completed, 1)),
		},
		{
			defect: "a get after a cancel is stale",
			legal:  inTurn(created("a"), during(10, 13, done(history.Cancel, cancelled, 0)), during(11, 12, get(pending, 0))),
			broken: inTurn(created("a"), during(10, 11, done(history.Cancel, cancelled, 0)), during(12, 13, get(pending, 0))),
		},
		{
			defect: "a get goes back in time",
			legal:  inTurn(created("a"), get(processing, 1), get(retrying, 1), get(expedited, 2)),
			broken: inTurn(created("a"), get(retrying, 1), get(expedited, 2), get(retrying, 1)),
		},
		{
			defect: "attempts decrease",
			legal:  inTurn(created("a"), get(retrying, 2), get(retrying, 3)),
			broken: inTurn(created("a"), get(retrying, 3), get(retrying, 2)),
		},
		{
			defect: "a completed order changes",
			legal:  inTurn(created("a"), get(completed, 1), refused(history.Retry, history.Conflict, completed), get(completed, 1)),
			broken: inTurn(created("a"), get(completed, 1), get(completed, 2)),
		},
		{
			defect: "a completed order is cancelled",
			legal:  inTurn(created("a"), get(completed, 1), refused(history.Cancel, history.Conflict, completed)),
			broken: inTurn(created("a"), get(completed, 1), done(history.Cancel, cancelled, 1)),
		},
		{
			defect: "an order is retried that never was final",
			legal:  inTurn(created("a"), get(failed, 1), done(history.Retry, pending, 1)),
			broken: inTurn(created("a"), get(completed, 1), done(history.Retry, pending, 1)),
		},
		{
			defect: "one failure is retried twice",
			legal:  inTurn(created("a"), get(failed, 1), done(history.Retry, pending, 1), refused(history.Retry, history.Conflict, pending)),
			broken: inTurn(created("a"), get(failed, 1), done(history.Retry, pending, 1), done(history.Retry, pending, 1)),
		},
		{
			defect: "a retry is without effect",
			legal:  inTurn(created("a"), get(failed, 1), done(history.Retry, pending, 1), get(failed, 2)),
			broken: inTurn(created("a"), get(failed, 1), done(history.Retry, pending, 1), get(failed, 1)),
		},
		{
			defect: "an order is released that is not held",
			legal:  inTurn(created("a"), get(held, 0), done(history.Release, pending, 0)),
			broken: inTurn(created("a"), get(retrying, 1), done(history.Release, retrying, 1)),
		},
		{
			defect: "the release of a released order is refused",
			legal:  inTurn(created("a"), done(history.Release, pending, 0), get(completed, 1), done(history.Release, completed, 1)),
			broken: inTurn(created("a"), done(history.Release, pending, 0), get(completed, 1), refused(history.Release, history.Conflict, completed)),
		},
		{
			defect: "a released order is held again",
			legal:  inTurn(created("a"), get(held, 0), done(history.Release, pending, 0), get(pending, 0)),
			broken: inTurn(created("a"), get(held, 0), done(history.Release, pending, 0), get(held, 0)),
		},
		{
			defect: "a held order completes without a release",
			legal:  inTurn(created("a"), get(held, 0), unknown(history.Release), get(completed, 1)),
			broken: inTurn(created("a"), get(held, 0), get(completed, 1)),
		},
		{
			defect: "a held order completes although it was rejected",
			legal:  inTurn(created("a"), get(held, 0), get(completed, 1)),
			broken: inTurn(created("a"), get(held, 0), done(history.Reject, rejected, 0), get(completed, 1)),
			expire: true,
		},
		{
			defect: "both the release and the rejection of a hold count",
			legal:  inTurn(created("a"), during(10, 13, done(history.Release, pending, 0)), during(11, 12, refused(history.Reject, history.Conflict, pending))),
			broken: inTurn(created("a"), during(10, 13, done(history.Release, pending, 0)), during(11, 12, done(history.Reject, rejected, 0))),
		},
		{
			defect: "an order completes without an attempt",
			legal:  inTurn(created("a"), get(rejected, 1)),
			broken: inTurn(created("a"), get(completed, 0)),
		},
		{
			defect: "a doubt about the shop is forgotten",
			legal:  inTurn(created("a"), refused(history.Cancel, history.InDoubt, retrying), get(processing, 2), get(failed, 2), done(history.Retry, pending, 2), done(history.Cancel, cancelled, 2)),
			broken: inTurn(created("a"), refused(history.Cancel, history.InDoubt, retrying), get(retrying, 1), done(history.Cancel, cancelled, 1)),
		},
		{
			defect: "a retry ends a doubt about the shop",
			legal:  inTurn(created("a"), refused(history.Cancel, history.InDoubt, retrying), get(failed, 1), done(history.Retry, pending, 1), refused(history.Cancel, history.InDoubt, pending)),
			broken: inTurn(created("a"), refused(history.Cancel, history.InDoubt, retrying), get(failed, 1), done(history.Retry, pending, 1), done(history.Cancel, cancelled, 1)),
		},
		{
			defect: "a change is refused although the status allows it",
			legal:  inTurn(created("a"), refused(history.Cancel, history.InDoubt, retrying)),
			broken: inTurn(created("a"), refused(history.Cancel, history.Conflict, retrying)),
		},
		{
			defect: "a scheduled order is shown as pending",
			legal:  inTurn(submit("a", history.Created, scheduled, 0), get(processing, 1)),
			broken: inTurn(submit("a", history.Created, scheduled, 0), get(pending, 0)),
		},
		{
			defect: "a refused submission leaves an order behind",
			legal:  inTurn(refused(history.Submit, history.Refused, ""), refused(history.Get, history.NotFound, "")),
			broken: inTurn(refused(history.Submit, history.Refused, ""), get(pending, 0)),
		},
		{
			defect: "the API gives an answer that it never gives",
			legal:  inTurn(created("a"), unknown(history.Cancel)),
			broken: inTurn(created("a"), refused(history.Cancel, history.Unexpected, "")),
		},
	} {
		t.Run(row.defect, func(t *testing.T) {
			t.Parallel()
			options := history.Options{HoldsExpire: row.expire}
			if r := history.Check(row.legal, options); len(r.Violations)+len(r.Undecided) > 0 {
				t.Errorf("without the defect: %+v", r)
			}
			r := history.Check(row.broken, options)
			if len(r.Violations) != 1 || len(r.Undecided) > 0 {
				t.Errorf("with the defect: %+v", r)
			}
		})
	}
}
