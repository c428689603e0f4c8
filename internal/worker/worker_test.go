package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// step is something that happened to the order before.
type step func(t *testing.T, b *bundle)

// claim is how another worker holds the order.
func claim(token string) order.Claim {
	return order.Claim{
		ID: "o1", Token: token, Worker: "other-" + token, Handling: order.HandlingStandard, MaxAttempts: maxAttempts,
	}
}

// begun is an attempt that another worker has begun.
func begun(token string) step {
	return func(t *testing.T, b *bundle) {
		t.Helper()
		if _, err := b.books.Begin(t.Context(), claim(token)); err != nil {
			t.Fatal(err)
		}
	}
}

// failed is an attempt that another worker has made in vain.
func failed(token string) step {
	return func(t *testing.T, b *bundle) {
		t.Helper()
		begun(token)(t, b)
		if err := b.books.Fail(t.Context(), claim(token), order.Failure{Error: "busy", RetryIn: time.Minute}); err != nil {
			t.Fatal(err)
		}
	}
}

// settled is an attempt that another worker has brought to an end.
func settled(token string, out order.Outcome) step {
	return func(t *testing.T, b *bundle) {
		t.Helper()
		begun(token)(t, b)
		if err := b.books.Settle(t.Context(), claim(token), out); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWork holds every attempt to its contract: in which state it finds the
// order, what the shop says, what it answers, and how it leaves the order.
func TestWork(t *testing.T) {
	t.Parallel()
	const std = order.HandlingStandard
	const lost = order.ReasonNoResult
	boom := errors.New("connection refused")
	asks := func(after time.Duration) error {
		return &order.RetryError{After: after, Err: errors.New("answered 503")}
	}
	refuses := &order.PermanentError{Err: errors.New("answered 422")}
	rows := []struct {
		name     string
		opts     []ordertest.Option
		before   []step
		shop     *fulfilment // nil for none
		want     verdict
		spread   time.Duration // how much longer the wait may be
		calls    int32
		status   order.Status
		handling order.Handling
		reason   string
		attempts []order.Attempt
	}{
		{
			name: "approved, no fulfilment", want: verdict{Kind: acknowledge},
			status: order.StatusCompleted, handling: std, attempts: []order.Attempt{attempt(1, "w1", "", "")},
		},
		{
			name: "approved and fulfilled", shop: answers("thanks", nil), want: verdict{Kind: acknowledge}, calls: 1,
			status: order.StatusCompleted, handling: std, attempts: []order.Attempt{attempt(1, "w1", "", "thanks")},
		},
		{
			name: "expedited", opts: []ordertest.Option{ordertest.WithPriority(order.PriorityHigh)},
			shop: answers("", nil), want: verdict{Kind: acknowledge}, calls: 1,
			status: order.StatusCompleted, handling: order.HandlingExpedited,
			attempts: []order.Attempt{attempt(1, "w1", "", "")},
		},
		{
			name: "fulfilled after a failed and a lost attempt", before: []step{failed("a"), begun("b")},
			shop: answers("", nil), want: verdict{Kind: acknowledge}, calls: 1,
			status: order.StatusCompleted, handling: std, attempts: []order.Attempt{
				attempt(1, "other-a", "busy", ""), attempt(2, "other-b", lost, ""), attempt(3, "w1", "", ""),
			},
		},
		{
			name: "amount rejected", opts: []ordertest.Option{ordertest.WithAmount("10000.01")},
			shop: answers("", nil), want: verdict{Kind: acknowledge},
			status: order.StatusRejected, reason: "order amount exceeds limit",
			attempts: []order.Attempt{attempt(1, "w1", "", "")},
		},
		{
			name: "items rejected", opts: []ordertest.Option{ordertest.WithItems(51)},
			shop: answers("", nil), want: verdict{Kind: acknowledge},
			status: order.StatusRejected, reason: "too many items in order",
			attempts: []order.Attempt{attempt(1, "w1", "", "")},
		},
		{
			name: "failed, back-off decides", shop: answers("oops", boom),
			want:  verdict{retryLater, time.Second, "connection refused"},
			calls: 1, status: order.StatusRetrying, handling: std, reason: "connection refused",
			attempts: []order.Attempt{attempt(1, "w1", "connection refused", "oops")},
		},
		{
			name: "failed again, longer back-off", before: []step{failed("a")}, shop: answers("", boom),
			want:  verdict{retryLater, 2 * time.Second, "connection refused"},
			calls: 1, status: order.StatusRetrying, handling: std, reason: "connection refused",
			attempts: []order.Attempt{attempt(1, "other-a", "busy", ""), attempt(2, "w1", "connection refused", "")},
		},
		{
			name: "failed, the shop asks for more time", shop: answers("", asks(time.Minute)),
			want: verdict{retryLater, time.Minute, "answered 503"}, spread: 6 * time.Second,
			calls: 1, status: order.StatusRetrying, handling: std, reason: "answered 503",
			attempts: []order.Attempt{attempt(1, "w1", "answered 503", "")},
		},
		{
			name: "failed, the shop asks for less time", shop: answers("", asks(time.Millisecond)),
			want: verdict{retryLater, time.Second, "answered 503"}, spread: 2 * time.Second,
			calls: 1, status: order.StatusRetrying, handling: std, reason: "answered 503",
			attempts: []order.Attempt{attempt(1, "w1", "answered 503", "")},
		},
		{
			name: "failed with a long, odd reason", shop: answers("", errors.New("a\nb\tc"+strings.Repeat("x", 2000))),
			want:  verdict{retryLater, time.Second, "a b c" + strings.Repeat("x", order.MaxNoteBytes-5)},
			calls: 1, status: order.StatusRetrying, handling: std,
			reason: "a b c" + strings.Repeat("x", order.MaxNoteBytes-5), attempts: []order.Attempt{
				attempt(1, "w1", "a b c"+strings.Repeat("x", order.MaxNoteBytes-5), ""),
			},
		},
		{
			name: "last attempt failed", before: []step{failed("a"), failed("b")}, shop: answers("oops", asks(time.Hour)),
			want:  verdict{permanent, 0, "3 attempts used up: answered 503"},
			calls: 1, status: order.StatusFailed, handling: std, reason: "3 attempts used up: answered 503",
			attempts: []order.Attempt{
				attempt(1, "other-a", "busy", ""), attempt(2, "other-b", "busy", ""),
				attempt(3, "w1", "3 attempts used up: answered 503", "oops"),
			},
		},
		{
			name: "refused for good", shop: answers("no such item", refuses),
			want:  verdict{permanent, 0, "answered 422"},
			calls: 1, status: order.StatusFailed, handling: std, reason: "answered 422",
			attempts: []order.Attempt{attempt(1, "w1", "answered 422", "no such item")},
		},
		{
			name: "panic", want: verdict{retryLater, time.Second, "attempt panicked: boom"},
			shop: &fulfilment{fulfil: func(context.Context, order.Approval) (string, error) {
				panic("boom")
			}},
			calls: 1, status: order.StatusRetrying, handling: std, reason: "attempt panicked: boom",
			attempts: []order.Attempt{attempt(1, "w1", "attempt panicked: boom", "")},
		},
		{
			name: "already completed", before: []step{settled("a", order.Outcome{Status: order.StatusCompleted})},
			shop: answers("", nil), want: verdict{Kind: acknowledge}, status: order.StatusCompleted, handling: std,
			attempts: []order.Attempt{attempt(1, "other-a", "", "")},
		},
		{
			name:   "already failed",
			before: []step{settled("a", order.Outcome{Status: order.StatusFailed, Error: "answered 422"})},
			shop:   answers("", nil), want: verdict{Kind: acknowledge}, status: order.StatusFailed, handling: std,
			reason: "answered 422", attempts: []order.Attempt{attempt(1, "other-a", "answered 422", "")},
		},
		{
			name: "attempts used up by lost workers", before: []step{begun("a"), begun("b"), begun("c")},
			shop: answers("", nil), want: verdict{permanent, 0, "3 attempts used up: the attempt ended without a result"},
			status: order.StatusFailed, handling: std, reason: "3 attempts used up: the attempt ended without a result",
			attempts: []order.Attempt{
				attempt(1, "other-a", lost, ""), attempt(2, "other-b", lost, ""), attempt(3, "other-c", lost, ""),
			},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t, row.opts...)
			for _, before := range row.before {
				before(t, b)
			}
			calls := int32(0)
			if row.shop == nil {
				b.hire(nil)
			} else {
				b.hire(row.shop)
			}
			uncalled := false
			b.Uncalled = func() { uncalled = true }
			got := verdictOf(b.Work(t.Context(), "o1"))
			if over := got.After - row.want.After; 0 < over && over < row.spread {
				got.After = row.want.After
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
			if row.shop != nil {
				calls = row.shop.calls.Load()
			}
			if calls != row.calls {
				t.Errorf("fulfilment was called %d times, want %d", calls, row.calls)
			}
			if want := calls == 0 && got.Kind == acknowledge; uncalled != want {
				t.Errorf("without a call is %t, want %t", uncalled, want)
			}
			b.want(t, row.status, row.handling, row.reason, row.attempts...)
		})
	}
}

// TestFulfilmentIsTold holds what the shop's endpoint learns of an order, and
// how the record shows it meanwhile.
func TestFulfilmentIsTold(t *testing.T) {
	b := open(t, ordertest.WithAmount("1000.01"))
	first := claim("a")
	first.Handling = order.HandlingPriority
	if _, err := b.books.Begin(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := b.books.Fail(t.Context(), first, order.Failure{Error: "busy", RetryIn: time.Minute}); err != nil {
		t.Fatal(err)
	}
	b.hire(&fulfilment{fulfil: func(ctx context.Context, a order.Approval) (string, error) {
		if diff := cmp.Diff(b.order, a.Order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if a.Handling != order.HandlingPriority || a.Attempt != 2 {
			t.Errorf("told handling %q, attempt %d", a.Handling, a.Attempt)
		}
		b.want(t, order.StatusPriorityProcessing, order.HandlingPriority, "busy",
			attempt(1, "other-a", "busy", ""), attempt(2, "w1", "", ""))
		if _, ok := ctx.Deadline(); !ok {
			t.Error("told without a deadline")
		}
		return "", nil
	}})
	if err := b.Work(t.Context(), "o1"); err != nil {
		t.Error(err)
	}
}

// TestUnknownOrder holds that a task without a record is archived.
func TestUnknownOrder(t *testing.T) {
	b := open(t)
	b.hire(answers("", nil))
	err := b.Work(t.Context(), "nobody")
	if verdictOf(err).Kind != permanent || !errors.Is(err, order.ErrNotFound) {
		t.Errorf("answered %v", err)
	}
	b.want(t, order.StatusPending, "", "")
}

// TestNextAttemptIsDue holds that record and queue are told the same time.
func TestNextAttemptIsDue(t *testing.T) {
	b := open(t)
	b.hire(answers("", errors.New("connection refused")))
	got := verdictOf(b.Work(t.Context(), "o1"))
	rec := b.get(t)
	if due := rec.NextAttemptAt.Sub(rec.Attempts[0].EndedAt); due != got.After || due != time.Second {
		t.Errorf("the record says due after %v, the verdict %v", due, got.After)
	}
}

// TestHangingFulfilment holds that an attempt ends when its time is over.
func TestHangingFulfilment(t *testing.T) {
	b := open(t)
	b.hire(&fulfilment{fulfil: func(ctx context.Context, _ order.Approval) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	}})
	b.AttemptTimeout = 50 * time.Millisecond
	started := time.Now()
	got := verdictOf(b.Work(t.Context(), "o1"))
	if diff := cmp.Diff(verdict{retryLater, time.Second, "context deadline exceeded"}, got); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
	if took := time.Since(started); took < b.AttemptTimeout {
		t.Errorf("ended after %v", took)
	}
	b.want(t, order.StatusRetrying, order.HandlingStandard, "context deadline exceeded",
		attempt(1, "w1", "context deadline exceeded", ""))
}

// TestStale has another delivery take the order over while the first is with
// the shop. The first can no longer say what becomes of the order, nor end its
// task.
func TestStale(t *testing.T) {
	t.Parallel()
	const lost = order.ReasonNoResult
	boom := errors.New("connection refused")
	done := settled("b", order.Outcome{Status: order.StatusCompleted, Note: "from b"})
	rows := []struct {
		name   string
		during step
		err    error // from fulfilment
		want   string
		status order.Status
		reason string
		note   string
	}{
		{"begun meanwhile, first fulfilled", begun("b"), nil, deliver, order.StatusProcessing, "", ""},
		{"begun meanwhile, first failed", begun("b"), boom, deliver, order.StatusProcessing, "", ""},
		{
			"begun meanwhile, first refused", begun("b"), &order.PermanentError{Err: boom},
			deliver, order.StatusProcessing, "", "",
		},
		{"failed meanwhile, first fulfilled", failed("b"), nil, deliver, order.StatusRetrying, "busy", ""},
		{"settled meanwhile, first fulfilled", done, nil, acknowledge, order.StatusCompleted, "", "from b"},
		{"settled meanwhile, first failed", done, boom, acknowledge, order.StatusCompleted, "", "from b"},
		{
			"settled meanwhile, first refused", done, &order.PermanentError{Err: boom},
			acknowledge, order.StatusCompleted, "", "from b",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.hire(&fulfilment{fulfil: func(context.Context, order.Approval) (string, error) {
				row.during(t, b)
				return "too late", row.err
			}})
			err := b.Work(t.Context(), "o1")
			if got := verdictOf(err); got.Kind != row.want {
				t.Errorf("answered %v, want to %s", err, row.want)
			}
			if row.want == deliver && !errors.Is(err, order.ErrStale) {
				t.Errorf("answered %v", err)
			}
			b.want(t, row.status, order.HandlingStandard, row.reason,
				attempt(1, "w1", lost, ""), attempt(2, "other-b", row.reason, row.note))
		})
	}
}

// TestCancelled holds that a delivery whose time is over changes nothing.
func TestCancelled(t *testing.T) {
	b := open(t)
	f := answers("", nil)
	b.hire(f)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Work(ctx, "o1"); verdictOf(err).Kind != deliver {
		t.Errorf("answered %v", err)
	}
	if n := f.calls.Load(); n != 0 {
		t.Errorf("fulfilment was called %d times", n)
	}
	b.want(t, order.StatusPending, "", "")
}

// TestCancelledDuringFulfilment holds that a delivery which is cut short leaves
// its order to the next one.
func TestCancelledDuringFulfilment(t *testing.T) {
	b := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.hire(&fulfilment{fulfil: func(ctx context.Context, a order.Approval) (string, error) {
		if a.Attempt == 1 {
			cancel()
			<-ctx.Done()
		}
		return "", ctx.Err()
	}})
	if err := b.Work(ctx, "o1"); verdictOf(err).Kind != deliver {
		t.Errorf("answered %v", err)
	}
	b.want(t, order.StatusProcessing, order.HandlingStandard, "", attempt(1, "w1", "", ""))
	if err := b.Work(t.Context(), "o1"); err != nil {
		t.Errorf("the next delivery answered %v", err)
	}
	b.want(t, order.StatusCompleted, order.HandlingStandard, "",
		attempt(1, "w1", order.ReasonNoResult, ""), attempt(2, "w1", "", ""))
}
