package ledger_test

import (
	"strings"
	"testing"

	"orderprocessor/internal/order"
)

// TestCancel checks that an order can be cancelled until an attempt may have called the
// shop, and that nothing happens to it afterwards.
func TestCancel(t *testing.T) {
	t.Parallel()
	const lost, mind = order.ReasonNoResult, "changed my mind"
	a, b, x, y := claim("o1", "a"), claim("o1", "b"), claim("o1", "x"), claim("o1", "y")
	urgent, first := a, a
	urgent.Handling, first.Handling = order.HandlingExpedited, order.HandlingPriority
	retrying := accepted(begin(a), fail(a))
	after := accepted(begin(a), fail(a), cancel("o1", mind))
	cancelled := withReason(record(order.StatusCancelled), mind)
	cancelledRetrying := withReason(withError(record(order.StatusCancelled, attempt(1, "a", busy, "busy")), busy), mind)
	afterReject := withError(record(order.StatusRejected, attempt(1, "a", "", "")), rejected().Error)
	afterReject.Handling = ""
	worked := func(s order.Status, h order.Handling) order.Record {
		rec := record(s, attempt(1, "a", "", ""))
		rec.Handling = h
		return rec
	}
	refusedAs := func(s order.Status) error { return &order.StatusError{Status: s} }
	checkUpdates(t, []update{
		{"a scheduled order", []step{accept(scheduled(sample("o1")))}, cancel("o1", mind), nil, cancelled},
		{"a pending order", accepted(), cancel("o1", mind), nil, cancelled},
		{"a retrying order", retrying, cancel("o1", mind), nil, cancelledRetrying},
		{
			"a retried order", append(refuse(a), retry("o1", "r1")), cancel("o1", mind), nil,
			withReason(withError(record(order.StatusCancelled, attempt(1, "a", "refused", "")), "refused"), mind),
		},
		{"without a reason", accepted(), cancel("o1", ""), nil, record(order.StatusCancelled)},
		{
			"with a reason of several lines", accepted(), cancel("o1", "changed\n\tmy mind"), nil,
			withReason(record(order.StatusCancelled), "changed  my mind"),
		},
		{"again", accepted(cancel("o1", mind)), cancel("o1", "another"), nil, cancelled},
		{"again, first without a reason", accepted(cancel("o1", "")), cancel("o1", "another"), nil, record(order.StatusCancelled)},
		{
			"a processing order", accepted(begin(a)), cancel("o1", mind), refusedAs(order.StatusProcessing),
			processing(attempt(1, "a", "", "")),
		},
		{
			"an order of high priority that is worked", accepted(begin(first)), cancel("o1", mind),
			refusedAs(order.StatusPriorityProcessing), worked(order.StatusPriorityProcessing, order.HandlingPriority),
		},
		{
			"an expedited order", accepted(begin(urgent)), cancel("o1", mind), refusedAs(order.StatusExpedited),
			worked(order.StatusExpedited, order.HandlingExpedited),
		},
		{
			"a completed order", accepted(begin(a), settle(a, completed())), cancel("o1", mind), refusedAs(order.StatusCompleted),
			record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{
			"a rejected order", accepted(begin(ofNoHandling(a)), settle(a, rejected())), cancel("o1", mind),
			refusedAs(order.StatusRejected), afterReject,
		},
		{
			"a failed order", refuse(a), cancel("o1", mind), refusedAs(order.StatusFailed),
			withError(record(order.StatusFailed, attempt(1, "a", "refused", "")), "refused"),
		},
		{"then begin", accepted(cancel("o1", mind)), begin(a), order.ErrSettled, cancelled},
		{"then begin with a token it had", after, begin(a), order.ErrSettled, cancelledRetrying},
		{"then fail an attempt", after, fail(a), order.ErrSettled, cancelledRetrying},
		{"then complete it", after, settle(a, completed()), order.ErrSettled, cancelledRetrying},
		{
			"when it is out of attempts, then settle it",
			accepted(begin(x), begin(y), begin(a), fail(a), exhausted(b), cancel("o1", mind)), settle(b, refused()), order.ErrSettled,
			withReason(withError(record(order.StatusCancelled,
				attempt(1, "x", lost, ""), attempt(2, "y", lost, ""), attempt(3, "a", busy, "busy")), busy), mind),
		},
		{"then retry", accepted(cancel("o1", mind)), retry("o1", "r1"), refusedAs(order.StatusCancelled), cancelled},
	})
}

// TestNoRepairOfACancelledOrder checks that a cancelled order needs no task.
func TestNoRepairOfACancelledOrder(t *testing.T) {
	books := open(t)
	books.do(t, accepted(cancel("o1", ""))...)
	if counted, err := books.Books()[0].Requeued(t.Context(), "o1", "r1"); counted || err != nil {
		t.Errorf("a repair was counted: %v, %v", counted, err)
	}
}

// TestLongCancelReason checks that a reason of the longest length is kept whole, whatever
// its characters.
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
