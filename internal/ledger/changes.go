package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"orderprocessor/internal/order"
)

// Accept writes a new order into the books as pending in the queue, and says
// whether it was new. When the id belongs to an order with the same content,
// Accept changes nothing and returns that record; when its content is another,
// it returns order.ErrConflict.
//
// Accept cannot tell its own lost reply from an earlier submission: repeated
// after an error, it may report a new order as known.
func (l *Ledger) Accept(ctx context.Context, o order.Order, q order.Queue) (rec order.Record, isNew bool, err error) {
	doc, err := json.Marshal(o)
	if err != nil {
		return order.Record{}, false, fmt.Errorf("accept order %s: %w", o.ID, err)
	}
	keys := append(changeKeys(o.ID), customerKey(o.Customer))
	word, rest, err := l.run(ctx, acceptScript, keys, o.ID, o.Fingerprint(), doc, string(q))
	if err != nil {
		return order.Record{}, false, wrap(err, "accept order %s", o.ID)
	}
	if word == "conflict" {
		return order.Record{}, false, fmt.Errorf("accept order %s: %w", o.ID, order.ErrConflict)
	}
	fields, err := pairs(rest)
	if err != nil {
		return order.Record{}, false, fmt.Errorf("accept order %s: %w", o.ID, err)
	}
	rec, err = parseRecord(o.ID, fields)
	return rec, word == "accepted", err
}

// Begin opens an attempt at an order and returns its number. From then on only
// the claim's token can fail or settle the order: an older attempt that still
// runs somewhere has become stale, and one that was left open is closed as
// lost. Repeating a claim returns the same number.
//
// It returns order.ErrSettled for an order that has its outcome,
// order.ErrNotFound, and order.ErrExhausted when no attempt is left; in that
// case the claim's token may still settle the order.
func (l *Ledger) Begin(ctx context.Context, c order.Claim) (number int, err error) {
	word, rest, err := l.run(ctx, beginScript, changeKeys(c.ID), c.ID,
		c.Token, order.Printable(c.Worker), string(c.Handling.Status()), string(c.Handling), c.MaxAttempts)
	if err != nil {
		return 0, wrap(err, "begin order %s", c.ID)
	}
	switch word {
	case "begun":
		return integer(rest), nil
	case "exhausted":
		return integer(rest), fmt.Errorf("begin order %s: %w", c.ID, order.ErrExhausted)
	default:
		return 0, verdict(word, "begin", c.ID)
	}
}

// Fail ends the claim's attempt without an outcome: the order is retrying, and
// due again after the delay. It returns order.ErrSettled, order.ErrStale when
// another delivery has taken the order over, or order.ErrNotFound.
func (l *Ledger) Fail(ctx context.Context, c order.Claim, reason, note string, delay time.Duration) error {
	word, _, err := l.run(ctx, failScript, changeKeys(c.ID), c.ID,
		c.Token, order.Printable(reason), order.Printable(note), delay.Microseconds())
	if err != nil {
		return wrap(err, "fail attempt at order %s", c.ID)
	}
	if word == "failed" {
		return nil
	}
	return verdict(word, "fail attempt at", c.ID)
}

// Settle gives an order its outcome, which must be completed, rejected or
// failed. The first outcome wins: for an order that has one already, Settle
// changes nothing and returns order.ErrSettled, unless that outcome is this
// claim's own. It returns order.ErrStale when another delivery has taken the
// order over, and order.ErrNotFound.
func (l *Ledger) Settle(ctx context.Context, c order.Claim, out order.Outcome) error {
	word, rest, err := l.run(ctx, settleScript, changeKeys(c.ID), c.ID,
		c.Token, string(out.Status), order.Printable(out.Error), order.Printable(out.Note))
	if err != nil {
		return wrap(err, "settle order %s", c.ID)
	}
	if own := len(rest) == 2 && rest[0] == string(out.Status) && rest[1] == "own"; word == "settled" && own {
		return nil
	}
	return verdict(word, "settle", c.ID)
}

// Requeued counts one repair of an unsettled order that had no task, and says
// whether it did: an order that has met its outcome meanwhile needed none. The
// token names the repair: repeating it counts nothing.
func (l *Ledger) Requeued(ctx context.Context, id, token string) (counted bool, err error) {
	args := []any{id, maxEvents, token}
	n, err := requeuedScript.Run(ctx, l.rdb, changeKeys(id), args...).Int()
	return n == 1, wrap(err, "count requeued order %s", id)
}

// verdict turns what a script says instead of doing its work into an error.
func verdict(word, operation, id string) error {
	known := map[string]error{"missing": order.ErrNotFound, "settled": order.ErrSettled, "stale": order.ErrStale}
	if err, ok := known[word]; ok {
		return fmt.Errorf("%s order %s: %w", operation, id, err)
	}
	return fmt.Errorf("%s order %s: unknown answer %q", operation, id, word)
}

func integer(rest []any) int {
	if len(rest) == 0 {
		return 0
	}
	n, _ := rest[0].(int64)
	return int(n)
}
