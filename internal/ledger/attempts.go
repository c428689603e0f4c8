package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"orderprocessor/internal/order"
)

// Begin opens an attempt at an order and returns its numbers. From then on only the
// claim's token can fail or settle the order: an older attempt that still runs
// becomes stale, and an attempt that is still open is closed as lost. If the claim has
// an outcome, the attempt ends with it in the same write. Repeating a claim returns the same
// numbers.
//
// It returns order.ErrSettled for an order that has its outcome, order.ErrNotFound,
// order.ErrDecided for a claim with a decision when another delivery has decided the
// order, order.ErrHeld, and order.ErrExhausted when no attempt is left; the claim's token may still settle
// the order then.
func (b *Book) Begin(ctx context.Context, c order.Claim) (order.Begun, error) {
	calls := ""
	if c.CallsShop {
		calls = callMark
	}
	decision, err := encodeDecision(c.Decision)
	if err != nil {
		return order.Begun{}, fmt.Errorf("begin order %s: %w", c.ID, err)
	}
	if c.Decided {
		decision = decidedMark
	}
	var out order.Outcome
	if c.Outcome != nil {
		out = *c.Outcome
	}
	word, rest, err := b.update(ctx, attemptScript, update{id: c.ID, args: []any{
		"begin", c.Token, order.Printable(c.Worker), string(c.Handling.Status()), string(c.Handling), c.MaxAttempts,
		calls, order.ReasonNoResult, decision, shadowCounter(c.Decision),
		string(out.Status), order.Printable(out.Error), string(out.Shop),
	}})
	if err != nil {
		return order.Begun{}, wrap(err, "begin order %s", c.ID)
	}
	if len(rest) < 4 {
		return order.Begun{}, refusal(word, "begin", c.ID)
	}
	var numbers [3]int
	for i := range numbers {
		n, _ := rest[i].(string)
		numbers[i], _ = strconv.Atoi(n)
	}
	text, _ := rest[3].(string)
	begun := order.Begun{Number: numbers[0], Try: numbers[1], Counted: numbers[2]}
	if word == "exhausted" {
		begun.LastError = text
		return begun, fmt.Errorf("begin order %s: %w", c.ID, order.ErrExhausted)
	}
	begun.ApprovedAt = parseTime(text)
	if len(rest) == 5 {
		since, _ := rest[4].(string)
		us, _ := strconv.ParseInt(since, 10, 64)
		begun.Since = time.Duration(us) * time.Microsecond
	}
	return begun, nil
}

// Fail ends the claim's attempt without an outcome: the order is retrying, and due
// again after the failure's RetryIn. When the failure is Unknown, the order cannot be
// cancelled until the shop gives a definite answer. Fail returns order.ErrSettled,
// order.ErrStale when another delivery has the claim, or order.ErrNotFound.
func (b *Book) Fail(ctx context.Context, c order.Claim, f order.Failure) error {
	word, _, err := b.update(ctx, attemptScript, update{id: c.ID, args: []any{
		"fail", c.Token, order.Printable(f.Error), order.Printable(f.Note), f.RetryIn.Microseconds(), mark(f.Unknown), mark(f.Later),
	}})
	if err != nil {
		return wrap(err, "fail attempt at order %s", c.ID)
	}
	if word == "failed" {
		return nil
	}
	return refusal(word, "fail attempt at", c.ID)
}

// mark encodes for a script whether something is so.
func mark(is bool) string {
	if is {
		return "1"
	}
	return ""
}

// Settle gives an order its outcome, which must be completed, rejected or failed. The
// first outcome wins: for an order that has one already, Settle changes nothing and
// returns order.ErrSettled, unless that outcome is this claim's own. It returns
// order.ErrStale when another delivery has the claim, and order.ErrNotFound.
func (b *Book) Settle(ctx context.Context, c order.Claim, out order.Outcome) error {
	word, rest, err := b.update(ctx, attemptScript, update{id: c.ID, args: []any{
		"settle", c.Token, string(out.Status), order.Printable(out.Error), order.Printable(out.Note), string(out.Shop),
	}})
	if err != nil {
		return wrap(err, "settle order %s", c.ID)
	}
	if own := len(rest) == 2 && rest[0] == string(out.Status) && rest[1] == "own"; word == "settled" && own {
		return nil
	}
	return refusal(word, "settle", c.ID)
}
