package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"orderprocessor/internal/order"
)

// EraseOrder replaces what is personal in a settled order, as order.Content.Erased says,
// and moves it to the index of order.ErasedText. The record is the order's as it was read.
// Its status, times and fingerprint stay, so the totals do, and the same submission is
// still known. The timeline has an event for it. EraseOrder returns *order.StatusError for an order that is not
// settled, order.ErrNotFound, and order.ErrNotItsTurn.
func (b *Book) EraseOrder(ctx context.Context, rec order.Record, by order.Intervention) error {
	o := order.Order{ID: rec.ID, Content: rec.Erased()}
	document, err := encodeOrder(o)
	if err != nil {
		return fmt.Errorf("erase order %s: %w", rec.ID, err)
	}
	u := update{id: rec.ID, other: b.keys.customer(rec.Customer), args: append(args(by), document, b.keys.customer(order.ErasedText))}
	word, rest, err := b.update(ctx, eraseScript, u)
	switch {
	case err != nil:
		return wrap(err, "erase order %s", rec.ID)
	case word == "erased":
		return nil
	}
	_, err = recordOr(word, rest, "erase", rec.ID)
	return err
}

// EraseInJobs replaces a customer in the filters of jobs that have ended by
// order.ErasedText, and returns how many others still run. It may be repeated.
func (l *Ledger) EraseInJobs(ctx context.Context, customer string) (running int, err error) {
	jobs, err := l.Jobs(ctx, order.MaxJobs)
	if err != nil {
		return 0, err
	}
	for _, j := range jobs {
		switch {
		case j.Action == order.JobErase || j.Filter.Customer != customer:
			continue
		case !j.State.Ended():
			running++
			continue
		}
		text, err := json.Marshal(contentOf(j, order.ErasedText, ""))
		if err != nil {
			return running, fmt.Errorf("erase a customer in job %s: %w", j.ID, err)
		}
		if err := l.rdb.HSet(ctx, l.keys.job(j.ID), jobDocument, text).Err(); err != nil {
			return running, wrap(err, "erase a customer in job %s", j.ID)
		}
	}
	return running, nil
}
