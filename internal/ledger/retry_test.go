package ledger_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// refuse is the steps after which the order of the claim has failed at its first attempt.
func refuse(c order.Claim) []step {
	return []step{accept(sample(c.ID)), begin(c), settle(c, refused())}
}

// retried is the steps after which o1 has failed and was retried, and those that follow.
func retried(steps ...step) []step {
	return append(refuse(claim("o1", "a")), append([]step{retry("o1", "r1")}, steps...)...)
}

// TestRetry checks that an order which failed or was rejected gets another run, and that
// no other order does.
func TestRetry(t *testing.T) {
	t.Parallel()
	a, b := claim("o1", "a"), claim("o1", "b")
	first := attempt(1, "a", "refused", "")
	again := withError(record(order.StatusPending, first), "refused")
	secondRun := withError(processing(first, attempt(2, "b", "", "")), "refused")
	afterRejection := withError(record(order.StatusPending, attempt(1, "a", "", "")), rejected().Error)
	afterRejection.Handling = ""
	refusedAs := func(s order.Status) error { return &order.StatusError{Status: s} }
	retryIt := retry("o1", "r1")
	checkUpdates(t, []update{
		{"a failed order", refuse(a), retryIt, nil, again},
		{"a rejected order", accepted(begin(ofNoHandling(a)), settle(a, rejected())), retryIt, nil, afterRejection},
		{"again before it has begun", retried(), retry("o1", "r2"), refusedAs(order.StatusPending), again},
		{
			"a scheduled order",
			[]step{accept(scheduled(sample("o1")))},
			retryIt, refusedAs(order.StatusScheduled),
			record(order.StatusScheduled),
		},
		{"a processing order", accepted(begin(a)), retryIt, refusedAs(order.StatusProcessing), processing(attempt(1, "a", "", ""))},
		{
			"a retrying order", accepted(begin(a), fail(a)), retryIt, refusedAs(order.StatusRetrying),
			withError(record(order.StatusRetrying, attempt(1, "a", busy, "busy")), busy),
		},
		{
			"a completed order", accepted(begin(a), settle(a, completed())), retryIt, refusedAs(order.StatusCompleted),
			record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{"then complete with a token from before", retried(), settle(a, completed()), order.ErrStale, again},
		{"then settle again with a token from before", retried(), settle(a, refused()), order.ErrStale, again},
		{"then fail an attempt from before", retried(), fail(a), order.ErrStale, again},
		{"then begin", retried(), begin(b), nil, secondRun},
		{
			"then begin with a token from before", retried(), begin(a), nil,
			withError(processing(first, attempt(2, "a", "", "")), "refused"),
		},
		{"then settle with a token from before while another attempt runs", retried(begin(b)), settle(a, completed()), order.ErrStale, secondRun},
		{
			"then complete", retried(begin(b)), settle(b, completed()), nil,
			record(order.StatusCompleted, first, attempt(2, "b", "", "thanks")),
		},
		{
			"an order that failed again", retried(begin(b), settle(b, refused())), retry("o1", "r2"), nil,
			withError(record(order.StatusPending, first, attempt(2, "b", "refused", "")), "refused"),
		},
	})
}

// TestRetryOnce checks that a retry that is repeated, however late, changes nothing and
// answers the record.
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
			books.do(t, retried(row.since...)...)
			found := books.dump(t)
			books.do(t, retry("o1", "r1"))
			if diff := cmp.Diff(found, books.dump(t)); diff != "" {
				t.Errorf("it changed the books (-before +after):\n%s", diff)
			}
			if got := books.get(t, "o1").Status; got != row.after {
				t.Errorf("the order is %s, want %s", got, row.after)
			}
		})
	}
}

// TestRuns checks that a retried order may have as many attempts as a new one, while
// their numbers go on; that a repeated claim gets the same numbers; and that the attempts
// of a run have the approval of its first attempt.
func TestRuns(t *testing.T) {
	books := open(t)
	books.do(t, accepted()...)
	var got []order.Begun
	for run := range 3 {
		for try := range maxAttempts + 1 {
			c := claim("o1", fmt.Sprint(run, try))
			exhausted := try == maxAttempts
			for range 2 {
				n, err := books.Begin(t.Context(), c)
				if errors.Is(err, order.ErrExhausted) != exhausted || (err != nil) != exhausted {
					t.Fatalf("run %d, try %d answered %v", run+1, try+1, err)
				}
				first := books.get(t, "o1").Attempts[run*maxAttempts].StartedAt
				if !exhausted && (!n.ApprovedAt.Equal(first) || n.ApprovedAt.IsZero()) {
					t.Errorf("run %d, try %d: approved at %v, the first attempt began at %v", run+1, try+1, n.ApprovedAt, first)
				}
				got = append(got, n)
			}
			if exhausted {
				books.do(t, settle(c, refused()), retry("o1", fmt.Sprint("r", run)))
			}
		}
	}
	var want []order.Begun
	for run := range 3 {
		for try := 1; try <= maxAttempts; try++ {
			n := order.Begun{Number: run*maxAttempts + try, Try: try, Counted: try}
			want = append(want, n, n)
		}
		last := order.Begun{Number: (run + 1) * maxAttempts, Try: maxAttempts, Counted: maxAttempts, LastError: order.ReasonNoResult}
		want = append(want, last, last)
	}
	if diff := cmp.Diff(want, got, ignoreTimes); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if n := len(books.get(t, "o1").Attempts); n != 9 {
		t.Errorf("the record has %d attempts, want all 9", n)
	}
}

// TestRetryInTotals checks that a retry takes its order out of the decided ones, and takes
// no decision back.
func TestRetryInTotals(t *testing.T) {
	books := open(t)
	a, b := claim("o1", "a"), claim("o1", "b")
	type figures struct {
		Failed, EverFailed, Pending, Completed, Retried, Processed, Decisions, Attempts int64
	}
	for _, stage := range []struct {
		name  string
		steps []step
		want  figures
	}{
		{"failed", refuse(a), figures{EverFailed: 1, Failed: 1, Processed: 1, Decisions: 1, Attempts: 1}},
		{"retried", []step{retry("o1", "r1")}, figures{EverFailed: 1, Pending: 1, Retried: 1, Decisions: 1, Attempts: 1}},
		{"failed again", []step{begin(b), settle(b, refused())}, figures{EverFailed: 2, Failed: 1, Processed: 1, Retried: 1, Decisions: 2, Attempts: 2}},
		{"retried again", []step{retry("o1", "r2")}, figures{EverFailed: 2, Pending: 1, Retried: 2, Decisions: 2, Attempts: 2}},
		{"retry repeated", []step{retry("o1", "r2")}, figures{EverFailed: 2, Pending: 1, Retried: 2, Decisions: 2, Attempts: 2}},
		{"completed", []step{begin(a), settle(a, completed())}, figures{EverFailed: 2, Completed: 1, Processed: 1, Retried: 2, Decisions: 3, Attempts: 3}},
	} {
		books.do(t, stage.steps...)
		totals := books.totals(t)
		got := figures{
			Failed: totals.ByStatus[order.StatusFailed], EverFailed: totals.ByStatus[order.StatusFailed] + totals.RetriedFrom[order.StatusFailed], Pending: totals.ByStatus[order.StatusPending],
			Completed: totals.ByStatus[order.StatusCompleted], Retried: totals.Retried, Processed: totals.Processed(),
			Decisions: totals.EndToEnd[order.QueueDefault].Count(), Attempts: totals.Attempts,
		}
		if diff := cmp.Diff(stage.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", stage.name, diff)
		}
	}
}
