package ledger_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
)

// busy is the error with which the step fail ends an attempt.
const busy = "shop answered 500"

// accepted is the steps that accept o1, and those that follow.
func accepted(steps ...step) []step { return slices.Concat([]step{accept(sample("o1"))}, steps) }

// processing is the record of o1 while its last attempt runs.
func processing(attempts ...order.Attempt) order.Record {
	return record(order.StatusProcessing, attempts...)
}

// TestUpdates checks what each update answers in each state, and how it leaves the order.
func TestUpdates(t *testing.T) {
	t.Parallel()
	a, b, x, y := claim("o1", "a"), claim("o1", "b"), claim("o1", "x"), claim("o1", "y")
	other := sample("o1")
	other.Notes = "different"
	const lost = order.ReasonNoResult
	failed := order.Outcome{Status: order.StatusFailed, Error: "out of attempts"}
	begun := accepted(begin(a))
	retrying := accepted(begin(a), fail(a))
	stale := accepted(begin(a), begin(b))
	done := accepted(begin(a), settle(a, completed()))
	doneByB := accepted(begin(a), begin(b), settle(b, completed()))

	pending := record(order.StatusPending)
	afterBegin := processing(attempt(1, "a", "", ""))
	afterFail := withError(record(order.StatusRetrying, attempt(1, "a", busy, "busy")), busy)
	afterSecond := processing(attempt(1, "a", lost, ""), attempt(2, "b", "", ""))
	afterSettle := record(order.StatusCompleted, attempt(1, "a", "", "thanks"))
	afterReject := withError(record(order.StatusRejected, attempt(1, "a", "", "")), rejected().Error)
	afterReject.Handling = ""
	checkUpdates(t, []update{
		{"accept a new order", nil, accept(sample("o1")), nil, pending},
		{"accept it again", accepted(), accept(sample("o1")), nil, pending},
		{"accept its id with other content", accepted(), accept(other), order.ErrConflict, pending},
		{"begin a pending order", accepted(), begin(a), nil, afterBegin},
		{"begin again with the same token", begun, begin(a), nil, afterBegin},
		{"begin what a lost worker left", begun, begin(b), nil, afterSecond},
		{
			"begin after a failed attempt", retrying, begin(b), nil,
			withError(processing(attempt(1, "a", busy, "busy"), attempt(2, "b", "", "")), busy),
		},
		{"begin a settled order", done, begin(b), order.ErrSettled, afterSettle},
		{
			"begin without an attempt left", accepted(begin(x), begin(y), begin(a)), begin(b), order.ErrExhausted,
			processing(attempt(1, "x", lost, ""), attempt(2, "y", lost, ""), attempt(3, "a", lost, "")),
		},
		{"fail an attempt", begun, fail(a), nil, afterFail},
		{"fail it again", retrying, fail(a), nil, afterFail},
		{"fail a stale attempt", stale, fail(a), order.ErrStale, afterSecond},
		{
			"fail an attempt of a settled order", doneByB, fail(a), order.ErrSettled,
			record(order.StatusCompleted, attempt(1, "a", lost, ""), attempt(2, "b", "", "thanks")),
		},
		{"complete an order", begun, settle(a, completed()), nil, afterSettle},
		{"complete it again", done, settle(a, completed()), nil, afterSettle},
		{"give a second outcome", done, settle(a, failed), order.ErrSettled, afterSettle},
		{"repeat the outcome of another", done, settle(b, completed()), order.ErrSettled, afterSettle},
		{"settle with a stale attempt", stale, settle(a, completed()), order.ErrStale, afterSecond},
		{
			"settle an order whose attempt has failed", retrying, settle(a, failed), nil,
			withError(record(order.StatusFailed, attempt(1, "a", busy, "busy")), failed.Error),
		},
		{
			"complete after a failed attempt forgets its error", accepted(begin(a), fail(a), begin(b)), settle(b, completed()), nil,
			record(order.StatusCompleted, attempt(1, "a", busy, "busy"), attempt(2, "b", "", "thanks")),
		},
		{"reject an order", accepted(begin(ofNoHandling(a))), settle(a, rejected()), nil, afterReject},
		{
			"settle an order out of attempts", accepted(begin(x), begin(y), begin(b), exhausted(a)), settle(a, failed), nil,
			withError(record(order.StatusFailed, attempt(1, "x", lost, ""), attempt(2, "y", lost, ""), attempt(3, "b", lost, "")), failed.Error),
		},
		{"count a repair", accepted(), requeued("o1", "r1"), nil, pending},
	})
}

// update is a row of checkUpdates: an update in one state, what it answers, and the record
// of o1 after it.
type update struct {
	name   string
	before []step
	do     step
	err    error
	after  order.Record
}

// checkUpdates makes every update twice. The second one changes nothing, nor does the first
// one if it answers an error.
func checkUpdates(t *testing.T, rows []update) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			books := open(t)
			books.do(t, row.before...)
			found := books.dump(t)
			if err := row.do.run(t.Context(), books.Ledger); !sameError(err, row.err) {
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
			if diff := cmp.Diff(found, left); row.err != nil && !errors.Is(row.err, order.ErrExhausted) && diff != "" {
				t.Errorf("it answered an error and changed the books (-before +after):\n%s", diff)
			}
			if err := row.do.run(t.Context(), books.Ledger); !sameError(err, row.err) {
				t.Errorf("repeated, it answered %v, want %v", err, row.err)
			}
			if diff := cmp.Diff(left, books.dump(t)); diff != "" {
				t.Errorf("repeated, it changed the books (-before +after):\n%s", diff)
			}
		})
	}
}

// TestMissingOrder checks that no update invents an order.
func TestMissingOrder(t *testing.T) {
	books := open(t)
	c := claim("nobody", "a")
	events := func(ctx context.Context, l *ledger.Ledger, id string) (any, error) { return l.Events(ctx, id) }
	for name, s := range map[string]step{
		"begin": begin(c), "fail": fail(c), "settle": settle(c, completed()), "cancel": cancel("nobody", "no need"),
		"retry": retry("nobody", "r1"), "hold": hold("nobody", 0), "release": release("nobody", ""), "reject": reject("nobody", "", "no"), "lost": lost("nobody", 1), "events": {"nobody", events}, "get": get("nobody"),
	} {
		if err := s.run(t.Context(), books.Ledger); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("%s of an unknown order answered %v", name, err)
		}
	}
	if n := books.rdb.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys were left behind", n)
	}
}

// TestBeginAndSettleAtOnce checks that an attempt which ends as soon as it has begun leaves
// the books as one that is settled by a second call.
func TestBeginAndSettleAtOnce(t *testing.T) {
	t.Parallel()
	a, b, c := claim("o1", "a"), claim("o1", "b"), claim("o1", "c")
	for name, before := range map[string][]step{
		"new":                     accepted(),
		"its worker was lost":     accepted(begin(a)),
		"two attempts failed":     accepted(begin(a), fail(a), begin(b), fail(b)),
		"retried":                 retried(),
		"retried after two tries": append(accepted(begin(b), fail(b), begin(a), settle(a, refused())), retry("o1", "r1")),
		"released":                accepted(hold("o1", 0), release("o1", "ops")),
		"retried after rejection": accepted(hold("o1", 0), reject("o1", "ops", "fraud"), retry("o1", "r1")),
	} {
		for _, out := range []order.Outcome{{Status: order.StatusCompleted, Shop: order.ShopAnswered}, rejected()} {
			t.Run(name+"/"+string(out.Status), func(t *testing.T) {
				once, twice := open(t), newBundle(t)
				once.do(t, slices.Concat(before, []step{begin(ending(c, out))})...)
				twice.do(t, slices.Concat(before, []step{begin(c), settle(c, out)})...)
				if diff := cmp.Diff(twice.state(t, "o1"), once.state(t, "o1"), ignoreTimes); diff != "" {
					t.Errorf("the books (-two calls +one):\n%s", diff)
				}
			})
		}
	}
}
