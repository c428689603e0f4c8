package ledger

import (
	"context"
	"fmt"

	"orderprocessor/internal/order"
)

// maxAccepted bounds the orders of one AcceptAll: a few milliseconds of Redis.
const maxAccepted = 500

// AcceptAll records up to 500 new orders in one step: each as pending in its queue, or
// as scheduled if its time has not come. It returns what became of each, in turn. An
// id that is known with the same content changes nothing and returns that record; with
// other content the result is order.ErrConflict. Both also hold for ids that occur
// earlier among the entries. For an order that was forgotten, the first result is a
// *order.ForgottenError, as long as the id is known. When AcceptAll returns an error, all of the orders are
// recorded or none. With several books each of them is such a step of its own: the orders of
// one that fails have its error, and AcceptAll returns none.
//
// After a lost reply a repetition reports the orders as known: AcceptAll cannot
// distinguish its own first call from an earlier submission.
func (l *Ledger) AcceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	if len(entries) > maxAccepted {
		return nil, fmt.Errorf("accept %d orders: only %d are accepted in one step", len(entries), maxAccepted)
	}
	if len(l.books) == 1 {
		return l.first().acceptAll(ctx, entries)
	}
	all := make([]order.Acceptance, len(entries))
	parts := l.divide(len(entries), func(i int) string { return entries[i].ID })
	_, _ = each(l.books, func(b *Book) (struct{}, error) {
		own := make([]order.Entry, 0, len(parts[b.number]))
		for _, i := range parts[b.number] {
			own = append(own, entries[i])
		}
		accepted, err := b.acceptAll(ctx, own)
		for n, i := range parts[b.number] {
			if all[i].Err = err; err == nil {
				all[i] = accepted[n]
			}
		}
		return struct{}{}, nil
	})
	return all, nil
}

func (b *Book) acceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	updates := make([]update, len(entries))
	for i, e := range entries {
		text, err := encodeOrder(e.Order)
		if err != nil {
			return nil, fmt.Errorf("accept order %s: %w", e.ID, err)
		}
		updates[i] = update{id: e.ID, other: b.keys.customer(e.Customer), args: []any{
			e.Fingerprint(), text, string(e.Queue), microseconds(e.ProcessAt), idDigest(e.ID), e.TraceID,
		}}
	}
	answers, err := b.runScript(ctx, acceptScript, updates)
	if err != nil {
		return nil, wrap(err, "accept %d orders", len(entries))
	}
	all := make([]order.Acceptance, len(entries))
	for i, e := range entries {
		all[i] = acceptance(e, answers[i])
	}
	return all, nil
}

// acceptance reads the script's answer for one order.
func acceptance(e order.Entry, a answer) order.Acceptance {
	switch a.word {
	case "accepted":
		return order.Acceptance{Record: accepted(e, a.rest), IsNew: true}
	case "conflict":
		return order.Acceptance{Err: fmt.Errorf("accept order %s: %w", e.ID, order.ErrConflict)}
	case "forgotten":
		at, _ := a.rest[0].(string)
		return order.Acceptance{Err: fmt.Errorf("accept order %s: %w", e.ID, &order.ForgottenError{AcceptedAt: parseTime(at)})}
	case "error":
		return order.Acceptance{Err: wrap(replied(a.rest), "accept order %s", e.ID)}
	default:
		rec, err := recordOr(a.word, a.rest, "accept", e.ID)
		return order.Acceptance{Record: rec, Err: err}
	}
}

// accepted returns the record that the script has just written.
func accepted(e order.Entry, written []any) order.Record {
	rec := order.Record{Order: e.Order, Queue: e.Queue, TraceID: e.TraceID}
	if len(written) == 2 {
		status, _ := written[0].(string)
		at, _ := written[1].(string)
		rec.Status, rec.CreatedAt = order.Status(status), parseTime(at)
	}
	return rec
}
