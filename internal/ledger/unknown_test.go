package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
)

// calling is a claim whose attempt may call the shop.
func calling(token string) order.Claim {
	c := claim("o1", token)
	c.CallsShop = true
	return c
}

// unanswered ends an attempt whose call may have reached the shop.
func unanswered(c order.Claim) step {
	return step{c.ID, func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		return nil, l.Fail(ctx, c, order.Failure{Error: "no answer in time", RetryIn: time.Minute, Unknown: true})
	}}
}

// TestCancelWhileTheShopMayHaveTheOrder checks that an order is not cancelled from the
// moment that a call may have reached the shop until the shop has answered for good,
// however that call ended, and over retries by an operator.
func TestCancelWhileTheShopMayHaveTheOrder(t *testing.T) {
	t.Parallel()
	a, b, c := calling("a"), calling("b"), calling("c")
	ended := func(shop order.Shop) order.Outcome {
		return order.Outcome{Status: order.StatusFailed, Error: "refused", Shop: shop}
	}
	for _, row := range []struct {
		name    string
		steps   []step
		status  order.Status
		unknown bool
	}{
		{"its worker was lost", []step{begin(a), lost("o1", 1)}, order.StatusRetrying, true},
		{"its worker was lost, and the next attempt failed", []step{begin(a), begin(b), fail(b)}, order.StatusRetrying, true},
		{"its worker was lost in the second attempt", []step{begin(a), fail(a), begin(b), lost("o1", 2)}, order.StatusRetrying, true},
		{"no answer came", []step{begin(a), unanswered(a)}, order.StatusRetrying, true},
		{"no answer came, and the shop asked to be called again", []step{begin(a), unanswered(a), begin(b), fail(b)}, order.StatusRetrying, true},
		{"no answer came to the last attempt", []step{begin(a), settle(a, ended(order.ShopUnknown)), retry("o1", "r")}, order.StatusPending, true},
		{
			"no answer came, and the last attempt did not reach the shop",
			[]step{begin(a), unanswered(a), begin(b), settle(b, ended(order.ShopNotCalled)), retry("o1", "r")},
			order.StatusPending, true,
		},
		{
			"no attempt is left after a lost worker",
			[]step{begin(a), begin(b), begin(c), exhausted(calling("d")), settle(calling("d"), ended(order.ShopNotCalled)), retry("o1", "r")},
			order.StatusPending, true,
		},
		{
			"no answer came, and the shop refused it for good later",
			[]step{begin(a), unanswered(a), begin(b), settle(b, ended(order.ShopAnswered)), retry("o1", "r")},
			order.StatusPending, false,
		},
		{"the shop asked to be called again", []step{begin(a), fail(a)}, order.StatusRetrying, false},
		{"the shop refused it for good", []step{begin(a), settle(a, ended(order.ShopAnswered)), retry("o1", "r")}, order.StatusPending, false},
		{"the lost worker had no shop to call", []step{begin(claim("o1", "a")), lost("o1", 1)}, order.StatusRetrying, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			books := open(t)
			books.do(t, accepted(row.steps...)...)
			before := books.dump(t)
			_, err := books.Cancel(t.Context(), "o1", order.Intervention{Actor: "ops", Reason: ""})
			if !row.unknown {
				if s := books.get(t, "o1").Status; err != nil || s != order.StatusCancelled {
					t.Errorf("answered %v, the order is %s", err, s)
				}
				return
			}
			var refused *order.StatusError
			if !errors.As(err, &refused) || *refused != (order.StatusError{Status: row.status, Unknown: true}) {
				t.Errorf("answered %v", err)
			}
			if diff := cmp.Diff(before, books.dump(t)); diff != "" {
				t.Errorf("it changed the books (-before +after):\n%s", diff)
			}
			z := calling("z")
			books.do(t, begin(z), settle(z, completed()))
		})
	}
}

// TestExhaustedHasItsLastError checks that an order whose attempts are used up before an
// attempt begins, as when their number was lowered, keeps the error that it had.
func TestExhaustedHasItsLastError(t *testing.T) {
	t.Parallel()
	a, b, last := claim("o1", "a"), claim("o1", "b"), claim("o1", "z")
	last.MaxAttempts = 1
	for name, row := range map[string]struct {
		before []step
		want   string
	}{
		"one attempt failed":     {accepted(begin(a), fail(a)), busy},
		"the second one failed":  {accepted(begin(a), begin(b), fail(b)), busy},
		"a worker was lost":      {accepted(begin(a), lost("o1", 1)), order.ReasonWorkerLost},
		"an attempt did not end": {accepted(begin(a)), order.ReasonNoResult},
		"the second did not end": {accepted(begin(a), fail(a), begin(b)), order.ReasonNoResult},
	} {
		t.Run(name, func(t *testing.T) {
			books := open(t)
			books.do(t, row.before...)
			for range 2 { // its answer may be lost
				begun, err := books.Begin(t.Context(), last)
				if !errors.Is(err, order.ErrExhausted) || begun.LastError != row.want {
					t.Errorf("answered %+v, %v; want the error %q", begun, err, row.want)
				}
			}
			books.do(t, settle(last, order.Outcome{Status: order.StatusFailed, Error: row.want}))
		})
	}
}
