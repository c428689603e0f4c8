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

// step is one call of the ledger, for tests that are made of several.
type step struct {
	id   string // the order, empty for a call that has none
	call func(ctx context.Context, l *ledger.Ledger, id string) (answer any, err error)
}

// run makes the call. A record that it answers must be the one in the books.
func (s step) run(ctx context.Context, l *ledger.Ledger) error {
	answer, err := s.call(ctx, l, s.id)
	answered, isRecord := answer.(order.Record)
	if err != nil || !isRecord {
		return err
	}
	stored, err := l.Get(ctx, s.id)
	if diff := cmp.Diff(stored, answered, cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("the answer differs from the record (-record +answer):\n%s", diff)
	}
	return err
}

func accept(o order.Order) step {
	return step{o.ID, func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		rec, _, err := ledgertest.Accept(ctx, l, o, order.QueueDefault)
		return rec, err
	}}
}

func acceptAll(orders ...order.Order) step {
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		return l.AcceptAll(ctx, entries(orders...))
	}}
}

func claimOn(id string, c order.Claim) order.Claim {
	c.ID = id
	return c
}

func begin(c order.Claim) step {
	return step{c.ID, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return l.Begin(ctx, claimOn(id, c))
	}}
}

// ending is a claim whose attempt ends as soon as it has begun.
func ending(c order.Claim, out order.Outcome) order.Claim {
	out.Note = "" // the shop was not called
	c.Outcome = &out
	return c
}

// exhausted begins an order that has no attempt left.
func exhausted(c order.Claim) step {
	return step{c.ID, func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		if _, err := l.Begin(ctx, c); !errors.Is(err, order.ErrExhausted) {
			return nil, fmt.Errorf("begin answered %w, want no attempt left", err)
		}
		return nil, nil
	}}
}

func fail(c order.Claim) step {
	return step{c.ID, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return nil, l.Fail(ctx, claimOn(id, c), order.Failure{Error: "shop answered 500", Note: "busy", RetryIn: time.Minute})
	}}
}

func settle(c order.Claim, out order.Outcome) step {
	return step{c.ID, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return nil, l.Settle(ctx, claimOn(id, c), out)
	}}
}

func cancel(id, reason string) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return l.Cancel(ctx, id, order.Intervention{Actor: "ops", Reason: reason, RequestID: "q1"})
	}}
}

func retry(id, token string) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return l.Retry(ctx, id, token, order.Intervention{Actor: "ops"})
	}}
}

// onHold is a decision to hold an order, for good or for a term.
func onHold(term time.Duration) order.Decision {
	return order.Decision{
		Version: "v1", Action: order.ActionHold, Handling: order.HandlingExpedited, Rule: "fraud", Reason: "looks odd",
		Tags: []string{"new"}, Matched: []bool{true, false, true}, Hold: order.HoldTerm{Expires: term},
		Customer: &order.CustomerFacts{Orders24h: 2, Amount24h: 2500},
	}
}

func hold(id string, term time.Duration) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return nil, l.Hold(ctx, id, onHold(term))
	}}
}

func release(id, actor string) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return l.Release(ctx, id, order.Intervention{Actor: actor, Reason: "looks good"})
	}}
}

func reject(id, actor, reason string) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return l.Reject(ctx, id, order.Intervention{Actor: actor, Reason: reason})
	}}
}

// expire ends the hold of an order if it has expired.
func expire(id string, releases bool) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		by := order.Intervention{Actor: order.ActorExpiry, Reason: order.ReasonHoldExpired, IfExpired: true}
		if releases {
			return l.Release(ctx, id, by)
		}
		return l.Reject(ctx, id, by)
	}}
}

func push(version string) step {
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		return l.SaveRules(ctx, order.RuleSet{Version: version, CreatedBy: "ops", Source: []byte("rules: []")}, "q1")
	}}
}

func activate(version string) step {
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		return nil, l.ActivateRules(ctx, version, order.Intervention{Actor: "ops", RequestID: "q1"})
	}}
}

func shadow(version string) step {
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		return nil, l.ShadowRules(ctx, version, order.Intervention{Actor: "ops", RequestID: "q1"})
	}}
}

// audited writes the pause of a queue into the audit.
func audited(queue, token string) step {
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		return nil, l.Audit(ctx, order.AuditEntry{Actor: "ops", Action: order.AuditPause, Target: queue, RequestID: "q1"}, token)
	}}
}

// deciding is a claim of the attempt that decides the order.
func deciding(c order.Claim) order.Claim {
	c.Decision = &order.Decision{
		Version: "v1", Action: order.ActionApprove, Handling: order.HandlingStandard,
		Shadow: &order.Decision{Version: "v2", Action: order.ActionReject, Rule: "strict", Reason: "no"},
	}
	return c
}

func requeued(id, token string) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return l.Books()[0].Requeued(ctx, id, token)
	}}
}

func lost(id string, attempt int) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return l.Books()[0].Lost(ctx, id, seen(attempt))
	}}
}

func get(id string) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) { return l.Get(ctx, id) }}
}

func repaired(kind order.Repair, token string) step {
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		return nil, l.Books()[0].Repaired(ctx, kind, 2, token)
	}}
}

func quarantine(id string) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		return l.Books()[0].Quarantine(ctx, id, time.Hour)
	}}
}

// forget removes all settled orders.
func forget() step {
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		return l.Books()[0].Forget(ctx, time.Now().Add(time.Hour), 10)
	}}
}

// seen is an attempt whose worker is seen to be gone now.
func seen(attempt int) order.LostAttempt {
	return order.LostAttempt{Number: attempt, SeenAt: time.Now().Add(time.Hour)}
}
