package ledger_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
)

// TestChanges holds every change to its contract: in which state it finds the
// books, what it answers, and how it leaves them.
func TestChanges(t *testing.T) {
	t.Parallel()
	a, b := claim("o1", "a"), claim("o1", "b")
	other := sample("o1")
	other.Notes = "different"
	rejected := order.Outcome{Status: order.StatusRejected, Error: "too many items in order"}
	failed := order.Outcome{Status: order.StatusFailed, Error: "out of attempts"}
	reject := a
	reject.Handling = ""
	const lost, busy = order.ReasonNoResult, "shop answered 500"
	checkChanges(t, []change{
		{"accept a new order", nil, accept(sample("o1")), nil, record(order.StatusPending)},
		{"accept it again", []step{accept(sample("o1"))}, accept(sample("o1")), nil, record(order.StatusPending)},
		{"accept its id with other content", []step{accept(sample("o1"))}, accept(other), order.ErrConflict, record(order.StatusPending)},
		{
			"begin a pending order",
			[]step{accept(sample("o1"))},
			begin(a), nil,
			record(order.StatusProcessing, attempt(1, "a", "", "")),
		},
		{
			"begin again with the same token",
			[]step{accept(sample("o1")), begin(a)},
			begin(a), nil,
			record(order.StatusProcessing, attempt(1, "a", "", "")),
		},
		{
			"begin what a lost worker left",
			[]step{accept(sample("o1")), begin(a)},
			begin(b), nil,
			record(order.StatusProcessing, attempt(1, "a", lost, ""), attempt(2, "b", "", "")),
		},
		{
			"begin after a failed attempt",
			[]step{accept(sample("o1")), begin(a), fail(a)},
			begin(b), nil,
			withError(record(order.StatusProcessing, attempt(1, "a", busy, "busy"), attempt(2, "b", "", "")), busy),
		},
		{
			"begin a settled order",
			[]step{accept(sample("o1")), begin(a), settle(a, completed())},
			begin(b),
			order.ErrSettled, record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{
			"begin without an attempt left",
			[]step{accept(sample("o1")), begin(claim("o1", "x")), begin(claim("o1", "y")), begin(a)},
			begin(b),
			order.ErrExhausted,
			record(order.StatusProcessing, attempt(1, "x", lost, ""), attempt(2, "y", lost, ""), attempt(3, "a", lost, "")),
		},
		{
			"fail an attempt",
			[]step{accept(sample("o1")), begin(a)},
			fail(a), nil,
			withError(record(order.StatusRetrying, attempt(1, "a", busy, "busy")), busy),
		},
		{
			"fail it again",
			[]step{accept(sample("o1")), begin(a), fail(a)},
			fail(a), nil,
			withError(record(order.StatusRetrying, attempt(1, "a", busy, "busy")), busy),
		},
		{
			"fail a stale attempt",
			[]step{accept(sample("o1")), begin(a), begin(b)},
			fail(a), order.ErrStale,
			record(order.StatusProcessing, attempt(1, "a", lost, ""), attempt(2, "b", "", "")),
		},
		{
			"fail an attempt of a settled order",
			[]step{accept(sample("o1")), begin(a), begin(b), settle(b, completed())},
			fail(a), order.ErrSettled,
			record(order.StatusCompleted, attempt(1, "a", lost, ""), attempt(2, "b", "", "thanks")),
		},
		{
			"complete an order",
			[]step{accept(sample("o1")), begin(a)},
			settle(a, completed()), nil,
			record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{
			"complete it again",
			[]step{accept(sample("o1")), begin(a), settle(a, completed())},
			settle(a, completed()), nil,
			record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{
			"give a second outcome",
			[]step{accept(sample("o1")), begin(a), settle(a, completed())},
			settle(a, failed),
			order.ErrSettled, record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{
			"settle with a stale attempt",
			[]step{accept(sample("o1")), begin(a), begin(b)},
			settle(a, completed()),
			order.ErrStale, record(order.StatusProcessing, attempt(1, "a", lost, ""), attempt(2, "b", "", "")),
		},
		{
			"settle an order whose attempt has failed",
			[]step{accept(sample("o1")), begin(a), fail(a)},
			settle(a, failed), nil,
			withError(record(order.StatusFailed, attempt(1, "a", busy, "busy")), failed.Error),
		},
		{
			"complete after a failed attempt forgets its error",
			[]step{accept(sample("o1")), begin(a), fail(a), begin(b)},
			settle(b, completed()), nil,
			record(order.StatusCompleted, attempt(1, "a", busy, "busy"), attempt(2, "b", "", "thanks")),
		},
		{
			"reject an order",
			[]step{accept(sample("o1")), begin(reject)},
			settle(reject, rejected), nil,
			func() order.Record {
				rec := withError(record(order.StatusRejected, attempt(1, "a", "", "")), rejected.Error)
				rec.Handling = ""
				return rec
			}(),
		},
		{
			"settle an order out of attempts",
			[]step{
				accept(sample("o1")), begin(claim("o1", "x")), begin(claim("o1", "y")), begin(claim("o1", "z")),
				exhausted(a),
			},
			settle(a, failed), nil,
			withError(record(order.StatusFailed,
				attempt(1, "x", lost, ""), attempt(2, "y", lost, ""), attempt(3, "z", lost, "")), failed.Error),
		},
		{"count a repair", []step{accept(sample("o1"))}, requeued("o1", "r1"), nil, record(order.StatusPending)},
	})
}

// change is one row of the contract of a change: how it finds the books, what it
// answers, and how it leaves the order o1.
type change struct {
	name   string
	before []step
	do     step
	err    error
	after  order.Record
}

// checkChanges makes every change twice: once for the books, which it leaves as
// they are if it answers an error, and once more for nothing.
func checkChanges(t *testing.T, rows []change) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			books := open(t)
			books.do(t, row.before...)
			found := books.dump(t)
			if err := row.do(t.Context(), books.Ledger); !sameError(err, row.err) {
				t.Errorf("answered %v, want %v", err, row.err)
			}
			rec, left := books.get(t, "o1"), books.dump(t)
			for _, a := range row.after.Attempts {
				if a.Error == order.ReasonWorkerLost || a.Error == order.ReasonNoResult { // begin counts these, but never the last
					row.after.WorkersLost = min(row.after.WorkersLost+1, order.MaxWorkersLost-1)
				}
			}
			if diff := cmp.Diff(row.after, rec, ignoreTimes); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if rec.ProcessedAt.IsZero() == rec.Status.Settled() || rec.NextAttemptAt.IsZero() == (rec.Status == order.StatusRetrying) {
				t.Errorf("%s order is processed at %v, next attempt at %v", rec.Status, rec.ProcessedAt, rec.NextAttemptAt)
			}
			if keys := differing(found, left); row.err != nil && !errors.Is(row.err, order.ErrExhausted) && len(keys) > 0 {
				t.Errorf("it answered an error and changed %q", keys)
			}
			if err := row.do(t.Context(), books.Ledger); !sameError(err, row.err) {
				t.Errorf("repeated, it answered %v, want %v", err, row.err)
			}
			if keys := differing(left, books.dump(t)); len(keys) > 0 {
				t.Errorf("repeated, it changed %q", keys)
			}
		})
	}
}

// TestMissingOrder holds that no change invents an order.
func TestMissingOrder(t *testing.T) {
	books := open(t)
	c := claim("nobody", "a")
	for name, do := range map[string]step{
		"begin": begin(c), "fail": fail(c), "settle": settle(c, completed()),
		"cancel": cancel("nobody", "no need"), "retry": retry("nobody", "r1"),
		"lost":   lost("nobody", 1),
		"events": func(ctx context.Context, l *ledger.Ledger) error { _, err := l.Events(ctx, "nobody"); return err },
		"get":    func(ctx context.Context, l *ledger.Ledger) error { _, err := l.Get(ctx, "nobody"); return err },
	} {
		if err := do(t.Context(), books.Ledger); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("%s of an unknown order answered %v", name, err)
		}
	}
	if n := books.rdb.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys were left behind", n)
	}
}
