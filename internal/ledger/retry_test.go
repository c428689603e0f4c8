package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// refused is the outcome of an order that fulfilment refuses for good.
func refused() order.Outcome { return order.Outcome{Status: order.StatusFailed, Error: "refused"} }

// refuse is an order that has failed at its first attempt.
func refuse(c order.Claim) []step {
	return []step{accept(sample(c.ID)), begin(c), settle(c, refused())}
}

// TestRetry holds that an order which failed or was rejected gets another run,
// and no other order does.
func TestRetry(t *testing.T) {
	t.Parallel()
	a, b := claim("o1", "a"), claim("o1", "b")
	const busy = "shop answered 500"
	reject := a
	reject.Handling = ""
	rejected := order.Outcome{Status: order.StatusRejected, Error: "too many items in order"}
	first := attempt(1, "a", "refused", "")
	again := withError(record(order.StatusPending, first), "refused")
	afterRejection := withError(record(order.StatusPending, attempt(1, "a", "", "")), rejected.Error)
	afterRejection.Handling = ""
	retried := append(refuse(a), retry("o1", "r1"))
	begun := slices.Concat(retried, []step{begin(b)})
	checkChanges(t, []change{
		{"retry a failed order", refuse(a), retry("o1", "r1"), nil, again},
		{
			"retry a rejected order",
			[]step{accept(sample("o1")), begin(reject), settle(reject, rejected)},
			retry("o1", "r1"), nil, afterRejection,
		},
		{"retry again before it has begun", retried, retry("o1", "r2"), &order.StatusError{Status: order.StatusPending}, again},
		{
			"retry a scheduled order",
			[]step{accept(scheduled(sample("o1")))},
			retry("o1", "r1"), &order.StatusError{Status: order.StatusScheduled},
			record(order.StatusScheduled),
		},
		{
			"retry a processing order",
			[]step{accept(sample("o1")), begin(a)},
			retry("o1", "r1"), &order.StatusError{Status: order.StatusProcessing},
			record(order.StatusProcessing, attempt(1, "a", "", "")),
		},
		{
			"retry a retrying order",
			[]step{accept(sample("o1")), begin(a), fail(a)},
			retry("o1", "r1"), &order.StatusError{Status: order.StatusRetrying},
			withError(record(order.StatusRetrying, attempt(1, "a", busy, "busy")), busy),
		},
		{
			"retry a completed order",
			[]step{accept(sample("o1")), begin(a), settle(a, completed())},
			retry("o1", "r1"), &order.StatusError{Status: order.StatusCompleted},
			record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{"complete with a token from before the retry", retried, settle(a, completed()), order.ErrStale, again},
		{"fail an order again with a token from before the retry", retried, settle(a, refused()), order.ErrStale, again},
		{"fail an attempt from before the retry", retried, fail(a), order.ErrStale, again},
		{
			"begin a retried order",
			retried, begin(b), nil,
			withError(record(order.StatusProcessing, first, attempt(2, "b", "", "")), "refused"),
		},
		{
			"begin a retried order with a token from before",
			retried, begin(a), nil,
			withError(record(order.StatusProcessing, first, attempt(2, "a", "", "")), "refused"),
		},
		{
			"settle with a token from before the retry, when another attempt runs",
			begun, settle(a, completed()), order.ErrStale,
			withError(record(order.StatusProcessing, first, attempt(2, "b", "", "")), "refused"),
		},
		{
			"complete a retried order",
			begun, settle(b, completed()), nil,
			record(order.StatusCompleted, first, attempt(2, "b", "", "thanks")),
		},
		{
			"retry an order that failed again",
			append(begun, settle(b, refused())),
			retry("o1", "r2"), nil,
			withError(record(order.StatusPending, first, attempt(2, "b", "refused", "")), "refused"),
		},
	})
}

// TestRetryOnce holds that a retry that is repeated, however late, changes
// nothing and answers the record.
func TestRetryOnce(t *testing.T) {
	t.Parallel()
	b := claim("o1", "b")
	rows := []struct {
		name  string
		since []step
		after order.Status
	}{
		{"at once", nil, order.StatusPending},
		{"when it has begun", []step{begin(b)}, order.StatusProcessing},
		{"when an attempt has failed", []step{begin(b), fail(b)}, order.StatusRetrying},
		{"when it has failed again", []step{begin(b), settle(b, refused())}, order.StatusFailed},
		{"when it is completed", []step{begin(b), settle(b, completed())}, order.StatusCompleted},
		{"when it is cancelled", []step{cancel("o1", "no need")}, order.StatusCancelled},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			books := open(t)
			books.do(t, append(refuse(claim("o1", "a")), retry("o1", "r1"))...)
			books.do(t, row.since...)
			found := books.dump(t)
			books.do(t, retry("o1", "r1"))
			if keys := differing(found, books.dump(t)); len(keys) > 0 {
				t.Errorf("it changed %q", keys)
			}
			if got := books.get(t, "o1").Status; got != row.after {
				t.Errorf("the order is %s, want %s", got, row.after)
			}
		})
	}
}

// TestRetryCountsAttemptsAnew holds that a retried order may have as many
// attempts as a new one, while their numbers go on.
func TestRetryCountsAttemptsAnew(t *testing.T) {
	books := open(t)
	books.do(t, accept(sample("o1")))
	var got []order.Begun
	for run := range 3 {
		for try := range maxAttempts + 1 {
			c := claim("o1", fmt.Sprint(run, try))
			n, err := books.Begin(t.Context(), c)
			if over := try == maxAttempts; errors.Is(err, order.ErrExhausted) != over || (err != nil) != over {
				t.Fatalf("run %d, try %d answered %v", run+1, try+1, err)
			}
			got = append(got, n)
			if err != nil {
				books.do(t, settle(c, refused()), retry("o1", fmt.Sprint("r", run)))
			}
		}
	}
	want := []order.Begun{
		{Number: 1, Try: 1},
		{Number: 2, Try: 2},
		{Number: 3, Try: 3},
		{Number: 3, Try: 3, LastError: order.ReasonNoResult},
		{Number: 4, Try: 1},
		{Number: 5, Try: 2},
		{Number: 6, Try: 3},
		{Number: 6, Try: 3, LastError: order.ReasonNoResult},
		{Number: 7, Try: 1},
		{Number: 8, Try: 2},
		{Number: 9, Try: 3},
		{Number: 9, Try: 3, LastError: order.ReasonNoResult},
	}
	if diff := cmp.Diff(want, got, ignoreTimes); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if n := len(books.get(t, "o1").Attempts); n != 9 {
		t.Errorf("the record has %d attempts, want all 9", n)
	}
}

// TestRetryRepeatsItsNumbers holds that a claim of a retried order which is
// repeated gets the same numbers.
func TestRetryRepeatsItsNumbers(t *testing.T) {
	books := open(t)
	books.do(t, append(refuse(claim("o1", "a")), retry("o1", "r1"))...)
	for range 2 {
		n, err := books.Begin(t.Context(), claim("o1", "b"))
		if diff := cmp.Diff(order.Begun{Number: 2, Try: 1}, n, ignoreTimes); diff != "" || err != nil {
			t.Errorf("%v, begun (-want +got):\n%s", err, diff)
		}
	}
}

// TestRetryInTotals holds that a retry takes its order out of the decided ones,
// and no decision back.
func TestRetryInTotals(t *testing.T) {
	books := open(t)
	a, b := claim("o1", "a"), claim("o1", "b")
	type figures struct {
		Failed, Pending, Completed, Retried, Processed, Decisions, Attempts int64
	}
	for _, stage := range []struct {
		name  string
		steps []step
		want  figures
	}{
		{"failed", refuse(a), figures{Failed: 1, Processed: 1, Decisions: 1, Attempts: 1}},
		{"retried", []step{retry("o1", "r1")}, figures{Pending: 1, Retried: 1, Decisions: 1, Attempts: 1}},
		{"failed again", []step{begin(b), settle(b, refused())}, figures{Failed: 1, Processed: 1, Retried: 1, Decisions: 2, Attempts: 2}},
		{"retried again", []step{retry("o1", "r2")}, figures{Pending: 1, Retried: 2, Decisions: 2, Attempts: 2}},
		{"retry repeated", []step{retry("o1", "r2")}, figures{Pending: 1, Retried: 2, Decisions: 2, Attempts: 2}},
		{"completed", []step{begin(a), settle(a, completed())}, figures{Completed: 1, Processed: 1, Retried: 2, Decisions: 3, Attempts: 3}},
	} {
		books.do(t, stage.steps...)
		totals := books.totals(t)
		got := figures{
			Failed: totals.ByStatus[order.StatusFailed], Pending: totals.ByStatus[order.StatusPending],
			Completed: totals.ByStatus[order.StatusCompleted], Retried: totals.Retried, Processed: totals.Processed(),
			Decisions: totals.EndToEnd[order.QueueDefault].Count(), Attempts: totals.Attempts,
		}
		if diff := cmp.Diff(stage.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", stage.name, diff)
		}
	}
}

// TestRetriedOrderIsKept holds that a retried order does not leave the books at
// the time of its earlier outcome.
func TestRetriedOrderIsKept(t *testing.T) {
	books := open(t)
	books.do(t, append(refuse(claim("o1", "a")), retry("o1", "r1"))...)
	now, err := books.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := books.Forget(t.Context(), now, 10); gone != 0 || err != nil {
		t.Errorf("forgot %d, %v", gone, err)
	}
	books.get(t, "o1")
}
