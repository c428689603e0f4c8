package worker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/worker"
)

// cancelled is the order withdrawn by its client.
func cancelled(t *testing.T, b *bundle) {
	t.Helper()
	if _, err := b.books.Cancel(t.Context(), "o1", order.Intervention{Actor: "ops", Reason: "changed my mind"}); err != nil {
		t.Fatal(err)
	}
}

// notCancelled is a cancel that is refused because the shop may have taken the order.
func notCancelled(t *testing.T, b *bundle) {
	t.Helper()
	_, err := b.books.Cancel(t.Context(), "o1", order.Intervention{Actor: "ops", Reason: ""})
	var refused *order.StatusError
	if !errors.As(err, &refused) || !refused.Unknown {
		t.Errorf("the cancel was answered %v", err)
	}
}

// retried is the order given another run.
func retried(token string) step {
	return func(t *testing.T, b *bundle) {
		t.Helper()
		if _, err := b.books.Retry(t.Context(), "o1", token, order.Intervention{Actor: "ops"}); err != nil {
			t.Fatal(err)
		}
	}
}

// inVain is a whole run of attempts made in vain, and the order retried.
func inVain(run string) []step {
	out := order.Outcome{Status: order.StatusFailed, Error: "3 attempts used up: busy"}
	return []step{failed(run + "1"), failed(run + "2"), settled(run+"3", out), retried(run)}
}

// TestWorkAfterRetry holds that an order which was retried has all its attempts
// anew, with waits that begin from the shortest, while its attempts are numbered on
// and the shop is told so.
func TestWorkAfterRetry(t *testing.T) {
	t.Parallel()
	boom := errors.New("connection refused")
	refused := order.Outcome{Status: order.StatusFailed, Error: "answered 422"}
	rows := []struct {
		name   string
		before []step
		shop   error
		want   verdict
		number int // told to the shop; 0 when it is not asked
		status order.Status
	}{
		{
			"first attempt of the second run", inVain("a"), boom,
			verdict{retryLater, time.Second, "connection refused"},
			4, order.StatusRetrying,
		},
		{
			"second attempt of the second run", append(inVain("a"), failed("b1")), boom,
			verdict{retryLater, 2 * time.Second, "connection refused"},
			5, order.StatusRetrying,
		},
		{
			"last attempt of the second run", append(inVain("a"), failed("b1"), failed("b2")), boom,
			verdict{permanent, 0, "3 attempts used up: connection refused"},
			6, order.StatusFailed,
		},
		{
			"fulfilled in the second run", inVain("a"), nil,
			verdict{Kind: acknowledge},
			4, order.StatusCompleted,
		},
		{
			"lost workers in the second run",
			append(inVain("a"), begun("b1"), begun("b2"), begun("b3")), nil,
			verdict{permanent, 0, "3 attempts used up: the attempt ended without a result"},
			0, order.StatusFailed,
		},
		{
			"a run that ended early leaves nothing over",
			[]step{settled("a", refused), retried("a"), failed("b1"), failed("b2")},
			boom,
			verdict{permanent, 0, "3 attempts used up: connection refused"},
			4, order.StatusFailed,
		},
		{
			"first attempt of the third run", slices.Concat(inVain("a"), inVain("b")), boom,
			verdict{retryLater, time.Second, "connection refused"},
			7, order.StatusRetrying,
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			for _, before := range row.before {
				before(t, b)
			}
			told := 0
			b.hire(&fulfilment{fulfil: func(_ context.Context, a order.Approval) (string, error) {
				told = a.Attempt
				return "", row.shop
			}})
			if diff := cmp.Diff(row.want, verdictOf(b.Work(t.Context(), "o1"))); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
			if told != row.number {
				t.Errorf("the shop was told attempt %d, want %d", told, row.number)
			}
			rec := b.get(t)
			if last := rec.Attempts[len(rec.Attempts)-1]; rec.Status != row.status || row.number > 0 && last.Number != row.number {
				t.Errorf("the order is %s after attempt %d, want %s after %d", rec.Status, last.Number, row.status, row.number)
			}
		})
	}
}

// movesOn is records of an order that moves on as soon as it was read.
type movesOn struct {
	worker.Records
	move func()
}

func (m movesOn) Get(ctx context.Context, id string) (order.Record, error) {
	rec, err := m.Records.Get(ctx, id)
	m.move()
	return rec, err
}

// TestCancelledOrder holds that the task of an order which was withdrawn goes away
// and that the shop never hears of it, whenever it was withdrawn.
func TestCancelledOrder(t *testing.T) {
	t.Parallel()
	refuse := ordertest.WithItems(51)
	rows := []struct {
		name     string
		opts     []ordertest.Option
		before   []step
		reading  []step // between the reading of the order and its begin
		attempts []order.Attempt
	}{
		{name: "before it is delivered", before: []step{cancelled}},
		{name: "between delivery and begin", reading: []step{cancelled}},
		{name: "between delivery and begin, and the rules refuse it", opts: []ordertest.Option{refuse}, reading: []step{cancelled}},
		{
			name: "while it waits for its next attempt", before: []step{failed("a"), cancelled},
			attempts: []order.Attempt{attempt(1, "other-a", "busy", "")},
		},
		{
			name: "between delivery and its next attempt", before: []step{failed("a")}, reading: []step{cancelled},
			attempts: []order.Attempt{attempt(1, "other-a", "busy", "")},
		},
		{
			name: "between delivery and its end, with no attempt left", before: []step{failed("a"), failed("b"), failed("c")},
			reading: []step{cancelled}, attempts: []order.Attempt{
				attempt(1, "other-a", "busy", ""), attempt(2, "other-b", "busy", ""), attempt(3, "other-c", "busy", ""),
			},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t, row.opts...)
			for _, before := range row.before {
				before(t, b)
			}
			f := answers("", nil)
			records := movesOn{b.broken, func() {
				for _, move := range row.reading {
					move(t, b)
				}
			}}
			b.Worker = worker.New(config(), records, b.broken, f)
			uncalled := 0
			b.Uncalled = func() { uncalled++ }
			if err := b.Work(t.Context(), "o1"); err != nil {
				t.Errorf("answered %v", err)
			}
			if n := f.calls.Load(); n != 0 || uncalled != 1 {
				t.Errorf("fulfilment was called %d times, and %d times it was not", n, uncalled)
			}
			rec := b.get(t)
			if rec.Status != order.StatusCancelled || rec.CancelReason != "changed my mind" {
				t.Errorf("the order is %s because %q", rec.Status, rec.CancelReason)
			}
			if diff := cmp.Diff(row.attempts, rec.Attempts, ignoreTimes); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChangedDuringFulfilment has the order change hands, and then be retried or meet
// a cancel, while the first attempt is with the shop: what the shop says then can no
// longer move the order, and a cancel is refused because nobody knows what it will say.
func TestChangedDuringFulfilment(t *testing.T) {
	t.Parallel()
	boom := errors.New("connection refused")
	gone := settled("b", order.Outcome{Status: order.StatusFailed, Error: "answered 422"})
	for name, row := range map[string]struct {
		during []step
		want   string
		status order.Status
	}{
		"not cancelled": {[]step{failed("b"), notCancelled}, deliver, order.StatusRetrying},
		"retried":       {[]step{gone, retried("b")}, deliver, order.StatusPending},
	} {
		for answer, err := range map[string]error{
			"fulfilled": nil, "failed": boom, "refused": &order.PermanentError{Err: boom},
		} {
			t.Run(name+", "+answer, func(t *testing.T) {
				b := open(t)
				b.hire(&fulfilment{fulfil: func(context.Context, order.Approval) (string, error) {
					for _, during := range row.during {
						during(t, b)
					}
					return "too late", err
				}})
				err := b.Work(t.Context(), "o1")
				if got := verdictOf(err); got.Kind != row.want || row.want == deliver && !errors.Is(err, order.ErrStale) {
					t.Errorf("answered %v, want to %s", err, row.want)
				}
				if s := b.get(t).Status; s != row.status {
					t.Errorf("the order is %s, want %s", s, row.status)
				}
			})
		}
	}
}

// TestScheduledOrder holds that an order whose time has come is worked like any
// other.
func TestScheduledOrder(t *testing.T) {
	b := open(t, ordertest.WithProcessAt(time.Now().Add(time.Hour)))
	if s := b.get(t).Status; s != order.StatusScheduled {
		t.Fatalf("the order is %s", s)
	}
	b.hire(answers("thanks", nil))
	if err := b.Work(t.Context(), "o1"); err != nil {
		t.Errorf("answered %v", err)
	}
	b.want(t, order.StatusCompleted, order.HandlingStandard, "", attempt(1, "w1", "", "thanks"))
}
