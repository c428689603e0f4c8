package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"orderprocessor/internal/order"
)

// Begin opens an attempt at an order and returns its numbers. From then on only
// the claim's token can fail or settle the order: an older attempt that still
// runs somewhere has become stale, and one that was left open is closed as
// lost. Repeating a claim returns the same numbers.
//
// It returns order.ErrSettled for an order that has its outcome,
// order.ErrNotFound, and order.ErrExhausted when no attempt is left; in that
// case the claim's token may still settle the order.
func (l *Ledger) Begin(ctx context.Context, c order.Claim) (order.Begun, error) {
	calls := ""
	if c.CallsShop {
		calls = callMark
	}
	word, rest, err := l.change(ctx, beginScript, change{id: c.ID, args: []any{
		c.Token, order.Printable(c.Worker), string(c.Handling.Status()), string(c.Handling), c.MaxAttempts,
		calls, order.ReasonNoResult,
	}})
	if err != nil {
		return order.Begun{}, wrap(err, "begin order %s", c.ID)
	}
	if len(rest) != 3 {
		return order.Begun{}, verdict(word, "begin", c.ID)
	}
	number, _ := rest[0].(int64)
	try, _ := rest[1].(int64)
	text, _ := rest[2].(string)
	b := order.Begun{Number: int(number), Try: int(try)}
	if word == "exhausted" {
		b.LastError = text
		return b, fmt.Errorf("begin order %s: %w", c.ID, order.ErrExhausted)
	}
	b.ApprovedAt = parseTime(text)
	return b, nil
}

// Fail ends the claim's attempt without an outcome: the order is retrying, and
// due again after the delay. When the failure is Unknown, the order cannot be
// cancelled until the shop gives a definite answer. It returns order.ErrSettled, order.ErrStale when
// another delivery has taken the order over, or order.ErrNotFound.
func (l *Ledger) Fail(ctx context.Context, c order.Claim, f order.Failure) error {
	word, _, err := l.change(ctx, failScript, change{id: c.ID, args: []any{
		c.Token, order.Printable(f.Error), order.Printable(f.Note), f.RetryIn.Microseconds(), unknown(f.Unknown),
	}})
	if err != nil {
		return wrap(err, "fail attempt at order %s", c.ID)
	}
	if word == "failed" {
		return nil
	}
	return verdict(word, "fail attempt at", c.ID)
}

// unknown writes for a script whether the shop may have taken an order.
func unknown(u bool) string {
	if u {
		return string(order.ShopUnknown)
	}
	return string(order.ShopNotCalled)
}

// Settle gives an order its outcome, which must be completed, rejected or
// failed. The first outcome wins: for an order that has one already, Settle
// changes nothing and returns order.ErrSettled, unless that outcome is this
// claim's own. It returns order.ErrStale when another delivery has taken the
// order over, and order.ErrNotFound.
func (l *Ledger) Settle(ctx context.Context, c order.Claim, out order.Outcome) error {
	word, rest, err := l.change(ctx, settleScript, change{id: c.ID, args: []any{
		c.Token, string(out.Status), order.Printable(out.Error), order.Printable(out.Note), string(out.Shop),
	}})
	if err != nil {
		return wrap(err, "settle order %s", c.ID)
	}
	if own := len(rest) == 2 && rest[0] == string(out.Status) && rest[1] == "own"; word == "settled" && own {
		return nil
	}
	return verdict(word, "settle", c.ID)
}

// Cancel withdraws an order that is scheduled, pending or retrying, and returns
// its record. From then on it never takes effect: no attempt can begin. An order
// that was cancelled before keeps its first reason. It returns
// *order.StatusError for an order that an attempt may have begun, that has
// another outcome, or that the shop may have taken, and order.ErrNotFound.
func (l *Ledger) Cancel(ctx context.Context, id, reason string) (order.Record, error) {
	word, rest, err := l.change(ctx, cancelScript, change{id: id, args: []any{order.Printable(reason)}})
	if err != nil {
		return order.Record{}, wrap(err, "cancel order %s", id)
	}
	return recordOr(word, rest, "cancel", id)
}

// Retry makes an order that failed or was rejected pending again, with its
// attempts counted anew, and returns its record. The token names the retry:
// repeating it changes nothing. It returns *order.StatusError for an order with
// any other status, and order.ErrNotFound.
func (l *Ledger) Retry(ctx context.Context, id, token string) (order.Record, error) {
	word, rest, err := l.change(ctx, retryScript, change{id: id, args: []any{token}})
	if err != nil {
		return order.Record{}, wrap(err, "retry order %s", id)
	}
	return recordOr(word, rest, "retry", id)
}

// recordOr reads the answer of a change that depends on the order's status: the
// record after it, or the status that did not allow it.
func recordOr(word string, rest []any, operation, id string) (order.Record, error) {
	switch word {
	case "known", "cancelled", "retried":
		fields, err := pairs(rest)
		if err != nil {
			return order.Record{}, fmt.Errorf("%s order %s: %w", operation, id, err)
		}
		return parseRecord(id, fields)
	case "status", "unknown":
		status, _ := rest[0].(string)
		return order.Record{}, fmt.Errorf("%s order %s: %w", operation, id,
			&order.StatusError{Status: order.Status(status), Unknown: word == "unknown"})
	default:
		return order.Record{}, verdict(word, operation, id)
	}
}

// Requeued counts one repair of an unsettled order that had no task, and says
// whether it did: an order that has met its outcome meanwhile needed none. The
// token names the repair: repeating it counts nothing.
func (l *Ledger) Requeued(ctx context.Context, id, token string) (counted bool, err error) {
	word, _, err := l.change(ctx, requeuedScript, change{id: id, args: []any{token}})
	return word == "counted", wrap(err, "count requeued order %s", id)
}

// verdict turns what a script says instead of doing its work into an error.
func verdict(word, operation, id string) error {
	known := map[string]error{"missing": order.ErrNotFound, "settled": order.ErrSettled, "stale": order.ErrStale}
	if err, ok := known[word]; ok {
		return fmt.Errorf("%s order %s: %w", operation, id, err)
	}
	return fmt.Errorf("%s order %s: unknown answer %q", operation, id, word)
}

// microseconds writes a time for a script, and nothing for one that is not set.
func microseconds(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}
