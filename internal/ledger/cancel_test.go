package ledger_test

import (
	"strings"
	"testing"

	"orderprocessor/internal/order"
)

// TestCancel holds that an order can be withdrawn until an attempt may have told
// the shop, and that nothing happens to it afterwards.
func TestCancel(t *testing.T) {
	t.Parallel()
	const busy, lost, mind = "shop answered 500", order.ReasonNoResult, "changed my mind"
	a, b := claim("o1", "a"), claim("o1", "b")
	later := scheduled(sample("o1"))
	reject := a
	reject.Handling = ""
	rejected := order.Outcome{Status: order.StatusRejected, Error: "too many items in order"}
	failed := order.Outcome{Status: order.StatusFailed, Error: "refused"}
	retrying := []step{accept(sample("o1")), begin(a), fail(a)}
	cancelled := withReason(record(order.StatusCancelled), mind)
	after := withReason(withError(record(order.StatusCancelled, attempt(1, "a", busy, "busy")), busy), mind)
	inVain := withError(record(order.StatusRejected, attempt(1, "a", "", "")), rejected.Error)
	inVain.Handling = ""
	checkChanges(t, []change{
		{"cancel a scheduled order", []step{accept(later)}, cancel("o1", mind), nil, cancelled},
		{"cancel a pending order", []step{accept(sample("o1"))}, cancel("o1", mind), nil, cancelled},
		{"cancel a retrying order", retrying, cancel("o1", mind), nil, after},
		{
			"cancel a retried order",
			[]step{accept(sample("o1")), begin(a), settle(a, failed), retry("o1", "r1")},
			cancel("o1", mind), nil,
			withReason(withError(record(order.StatusCancelled, attempt(1, "a", "refused", "")), "refused"), mind),
		},
		{"cancel without a reason", []step{accept(sample("o1"))}, cancel("o1", ""), nil, record(order.StatusCancelled)},
		{
			"cancel with a reason of several lines",
			[]step{accept(sample("o1"))},
			cancel("o1", "changed\n\tmy mind"), nil,
			withReason(record(order.StatusCancelled), "changed  my mind"),
		},
		{
			"cancel a cancelled order",
			[]step{accept(sample("o1")), cancel("o1", mind)},
			cancel("o1", "another"), nil, cancelled,
		},
		{
			"cancel again, first without a reason",
			[]step{accept(sample("o1")), cancel("o1", "")},
			cancel("o1", "another"), nil, record(order.StatusCancelled),
		},
		{
			"cancel a processing order",
			[]step{accept(sample("o1")), begin(a)},
			cancel("o1", mind), &order.StatusError{Status: order.StatusProcessing},
			record(order.StatusProcessing, attempt(1, "a", "", "")),
		},
		{
			"cancel a completed order",
			[]step{accept(sample("o1")), begin(a), settle(a, completed())},
			cancel("o1", mind), &order.StatusError{Status: order.StatusCompleted},
			record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{
			"cancel a rejected order",
			[]step{accept(sample("o1")), begin(reject), settle(reject, rejected)},
			cancel("o1", mind), &order.StatusError{Status: order.StatusRejected},
			inVain,
		},
		{
			"cancel a failed order",
			[]step{accept(sample("o1")), begin(a), settle(a, failed)},
			cancel("o1", mind), &order.StatusError{Status: order.StatusFailed},
			withError(record(order.StatusFailed, attempt(1, "a", "refused", "")), "refused"),
		},
		{
			"begin a cancelled order",
			[]step{accept(sample("o1")), cancel("o1", mind)},
			begin(a), order.ErrSettled, cancelled,
		},
		{
			"begin a cancelled order with a token it had",
			append(retrying, cancel("o1", mind)),
			begin(a), order.ErrSettled, after,
		},
		{"fail an attempt of a cancelled order", append(retrying, cancel("o1", mind)), fail(a), order.ErrSettled, after},
		{"complete a cancelled order", append(retrying, cancel("o1", mind)), settle(a, completed()), order.ErrSettled, after},
		{
			"settle an order that was cancelled when it was out of attempts",
			[]step{
				accept(sample("o1")), begin(claim("o1", "x")), begin(claim("o1", "y")), begin(a), fail(a),
				exhausted(b), cancel("o1", mind),
			},
			settle(b, failed), order.ErrSettled,
			withReason(withError(record(order.StatusCancelled,
				attempt(1, "x", lost, ""), attempt(2, "y", lost, ""), attempt(3, "a", busy, "busy")), busy), mind),
		},
		{
			"retry a cancelled order",
			[]step{accept(sample("o1")), cancel("o1", mind)},
			retry("o1", "r1"), &order.StatusError{Status: order.StatusCancelled}, cancelled,
		},
	})
}

// TestCancelOfUrgentWork holds that an attempt of any handling keeps its order
// from being cancelled.
func TestCancelOfUrgentWork(t *testing.T) {
	books := open(t)
	for _, handling := range []order.Handling{order.HandlingPriority, order.HandlingExpedited} {
		id := string(handling)
		c := claim(id, "a")
		c.Handling = handling
		books.do(t, accept(sample(id)), begin(c))
		want := &order.StatusError{Status: handling.Status()}
		if _, err := books.Cancel(t.Context(), id, ""); !sameError(err, want) {
			t.Errorf("cancel of a %s order answered %v", handling.Status(), err)
		}
	}
}

// TestNoRepairOfACancelledOrder holds that a cancelled order needs no task, nor
// does its retention end later than that of others.
func TestNoRepairOfACancelledOrder(t *testing.T) {
	books := open(t)
	books.do(t, accept(sample("o1")), cancel("o1", ""))
	if counted, err := books.Requeued(t.Context(), "o1", "r1"); counted || err != nil {
		t.Errorf("a repair was counted: %v, %v", counted, err)
	}
	if gone, err := books.Forget(t.Context(), books.get(t, "o1").ProcessedAt, 10); gone != 1 || err != nil {
		t.Errorf("forgot %d orders, %v", gone, err)
	}
}

// TestLongCancelReason holds that a reason of the longest length is kept whole,
// whatever its characters.
func TestLongCancelReason(t *testing.T) {
	books := open(t)
	for id, char := range map[string]string{"latin": "a", "greek": "λ", "emoji": "😀"} {
		reason := strings.Repeat(char, order.MaxReasonChars)
		books.do(t, accept(sample(id)), cancel(id, reason))
		events := books.events(t, id)
		if got := books.get(t, id).CancelReason; got != reason || events[1].Reason != reason {
			t.Errorf("of a reason of %d bytes, the record kept %d and the event %d", len(reason), len(got), len(events[1].Reason))
		}
	}
}
