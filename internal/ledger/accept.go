package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"orderprocessor/internal/order"
)

// maxAccepted bounds the orders of one AcceptAll: a few milliseconds of Redis.
const maxAccepted = 500

// AcceptAll writes new orders into the books in one step, at most 500: each as
// pending in its queue, or as scheduled if its time has not come. It returns what
// became of each, in turn. When an id belongs to an order with the same content,
// AcceptAll changes nothing about it and returns that record as known; when its
// content is another, it says order.ErrConflict. That goes for orders earlier
// among the same entries, too. When it returns an error, all are accepted or none.
//
// AcceptAll cannot tell its own lost reply from an earlier submission: repeated
// after an error, it may report a new order as known.
func (l *Ledger) AcceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	if len(entries) > maxAccepted {
		return nil, fmt.Errorf("accept %d orders: only %d are accepted in one step", len(entries), maxAccepted)
	}
	keys := make([]string, 0, 3+2*len(entries))
	keys = append(keys, countersKey, eventsKey, indexPrefix)
	args := make([]any, 0, 1+5*len(entries))
	args = append(args, maxEvents)
	for _, e := range entries {
		document, err := json.Marshal(e.Order)
		if err != nil {
			return nil, fmt.Errorf("accept order %s: %w", e.ID, err)
		}
		keys = append(keys, recordKey(e.ID), customerKey(e.Customer))
		args = append(args, e.ID, e.Fingerprint(), document, string(e.Queue), microseconds(e.ProcessAt))
	}
	answers, err := acceptScript.Run(ctx, l.rdb, keys, args...).Slice()
	if err != nil {
		return nil, wrap(err, "accept %d orders", len(entries))
	}
	if len(answers) != len(entries) {
		return nil, fmt.Errorf("accept %d orders: script answered for %d", len(entries), len(answers))
	}
	all := make([]order.Acceptance, len(entries))
	for i, e := range entries {
		all[i] = acceptance(e, answers[i])
	}
	return all, nil
}

// acceptance reads what the script says of one order.
func acceptance(e order.Entry, answer any) order.Acceptance {
	words, _ := answer.([]any)
	if len(words) == 0 {
		return order.Acceptance{Err: fmt.Errorf("accept order %s: script answered %v", e.ID, answer)}
	}
	switch word, _ := words[0].(string); word {
	case "accepted":
		return order.Acceptance{Record: accepted(e, words[1:]), IsNew: true}
	case "error":
		return order.Acceptance{Err: wrap(replied(words[1:]), "accept order %s", e.ID)}
	case "conflict":
		return order.Acceptance{Err: fmt.Errorf("accept order %s: %w", e.ID, order.ErrConflict)}
	default:
		rec, err := recordOr(word, words[1:], "accept", e.ID)
		return order.Acceptance{Record: rec, Err: err}
	}
}

// accepted is the record that the script has just written.
func accepted(e order.Entry, written []any) order.Record {
	rec := order.Record{Order: e.Order, Queue: e.Queue}
	if len(written) == 2 {
		status, _ := written[0].(string)
		at, _ := written[1].(string)
		rec.Status, rec.CreatedAt = order.Status(status), parseTime(at)
	}
	return rec
}
