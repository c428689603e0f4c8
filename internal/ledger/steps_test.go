package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// step is one change of the books, for scripts of a test.
type step func(ctx context.Context, l *ledger.Ledger) error

func accept(o order.Order) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		rec, _, err := ledgertest.Accept(ctx, l, o, order.QueueDefault)
		return kept(ctx, l, o.ID, rec, err)
	}
}

func begin(c order.Claim) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		_, err := l.Begin(ctx, c)
		return err
	}
}

// exhausted begins an order that has no attempt left.
func exhausted(c order.Claim) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		if _, err := l.Begin(ctx, c); !errors.Is(err, order.ErrExhausted) {
			return fmt.Errorf("begin answered %w, want no attempt left", err)
		}
		return nil
	}
}

func fail(c order.Claim) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		return l.Fail(ctx, c, order.Failure{Error: "shop answered 500", Note: "busy", RetryIn: time.Minute})
	}
}

func settle(c order.Claim, out order.Outcome) step {
	return func(ctx context.Context, l *ledger.Ledger) error { return l.Settle(ctx, c, out) }
}

func cancel(id, reason string) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		rec, err := l.Cancel(ctx, id, reason)
		return kept(ctx, l, id, rec, err)
	}
}

func retry(id, token string) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		rec, err := l.Retry(ctx, id, token)
		return kept(ctx, l, id, rec, err)
	}
}

// kept holds the record that a change answered to the one in the books.
func kept(ctx context.Context, l *ledger.Ledger, id string, answered order.Record, err error) error {
	if err != nil {
		return err
	}
	stored, err := l.Get(ctx, id)
	if diff := cmp.Diff(stored, answered, cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("the answer differs from the record (-record +answer):\n%s", diff)
	}
	return err
}

func requeued(id, token string) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		_, err := l.Requeued(ctx, id, token)
		return err
	}
}

func lost(id string, attempt int) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		_, err := l.Lost(ctx, id, seen(attempt))
		return err
	}
}

func repaired(kind order.Repair, token string) step {
	return func(ctx context.Context, l *ledger.Ledger) error { return l.Repaired(ctx, kind, 2, token) }
}

func quarantine(id string) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		_, err := l.Quarantine(ctx, id, time.Hour)
		return err
	}
}

// seen is an attempt whose worker is seen to be gone now.
func seen(attempt int) order.LostAttempt {
	return order.LostAttempt{Number: attempt, SeenAt: time.Now().Add(time.Hour)}
}
