package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orderprocessor/internal/batch"
	"orderprocessor/internal/order"
)

// Take accepts an order and queues it, and says whether it was new; a repeated
// order gives the record it has. An order without an id is given one.
//
// It returns order.ErrConflict when the id belongs to another order,
// *order.BusyError when there is no room, and order.ErrUnavailable when Redis
// could not be asked: then the order may or may not be recorded, and repeating
// it with its id is safe. For an id that was made, that error is a
// *order.UncertainError, which tells it.
//
// Orders that come at the same time are taken together, and each as if it came
// alone.
func (in *Intake) Take(ctx context.Context, o order.Order) (rec order.Record, isNew bool, err error) {
	s, err := submit(ctx, o)
	if err != nil {
		return order.Record{}, false, err
	}
	a, err := in.taking.Do(ctx, s)
	switch {
	case errors.Is(err, batch.ErrFull):
		return order.Record{}, false, &order.BusyError{Reason: order.BusyTaking, RetryAfter: time.Second}
	case err != nil:
		a = s.answer(order.Acceptance{Err: fmt.Errorf("take order %s: %w: %w", s.order.ID, order.ErrUnavailable, err)})
	default:
		a = in.followUp(ctx, []submitted{s}, []order.Acceptance{a})[0]
	}
	return a.Record, a.IsNew, a.Err
}

// submit makes an id for an order that has none.
func submit(ctx context.Context, o order.Order) (submitted, error) {
	s := submitted{order: o, origin: ctx}
	if o.ID != "" {
		return s, nil
	}
	var err error
	s.made = true
	s.order.ID, err = newID()
	return s, err
}

// answer is what became of the order, as its client sees it.
func (s submitted) answer(a order.Acceptance) order.Acceptance {
	if !s.made {
		return a
	}
	if errors.Is(a.Err, order.ErrUnavailable) {
		a.Err = &order.UncertainError{ID: s.order.ID, Err: a.Err}
	}
	// An id made just now is known only if Redis has heard this call twice.
	a.IsNew = a.Err == nil
	return a
}

// TakeAll takes many orders in, at most 500, each as Take does, and returns what
// became of each, in turn. They travel to Redis together, which is much faster
// than one after the other. Where room is short, it goes to those in front,
// although they may turn out to be known.
func (in *Intake) TakeAll(ctx context.Context, orders []order.Order) []order.Acceptance {
	all := make([]order.Acceptance, len(orders))
	group := make([]submitted, 0, len(orders))
	places := make([]int, 0, len(orders)) // of the group, among all
	for i, o := range orders {
		s, err := submit(ctx, o)
		if err != nil {
			all[i].Err = err
			continue
		}
		group, places = append(group, s), append(places, i)
	}
	for n, a := range in.followUp(ctx, group, in.takeAll(ctx, group)) {
		all[places[n]] = a
	}
	return all
}

func (in *Intake) takeAll(ctx context.Context, group []submitted) []order.Acceptance {
	all := make([]order.Acceptance, len(group))
	entries := make([]order.Entry, 0, len(group))
	places := make([]int, 0, len(group)) // of the entries, among all
	for i, s := range group {
		entry, err := in.admit(s.order)
		if err != nil {
			all[i].Err = err
			continue
		}
		entries, places = append(entries, entry), append(places, i)
	}
	var fresh []order.Handover
	for n, a := range in.accept(ctx, entries) {
		i := places[n]
		if !a.IsNew {
			in.gate.Leave()
		}
		if a.IsNew || group[i].made {
			fresh = append(fresh, group[i].handover(a)...)
		}
		all[i] = group[i].answer(a)
	}
	in.enqueue(ctx, fresh)
	return all
}

// followUp does what others need not wait for: it looks up the orders that the gate
// did not let in, and asserts the tasks of those that were known.
func (in *Intake) followUp(ctx context.Context, group []submitted, all []order.Acceptance) []order.Acceptance {
	var known []order.Handover
	for i, s := range group {
		var busy *order.BusyError
		switch {
		case errors.As(all[i].Err, &busy):
			all[i] = in.repeated(ctx, s, busy)
		case !all[i].IsNew:
			known = append(known, s.handover(all[i])...)
		}
	}
	in.enqueue(ctx, known)
	return all
}

// handover is the order's, if it waits for a worker or for its time.
func (s submitted) handover(a order.Acceptance) []order.Handover {
	if a.Err != nil || a.Record.Status != order.StatusPending && a.Record.Status != order.StatusScheduled {
		return nil
	}
	return []order.Handover{{Record: a.Record, Origin: s.origin, NewRun: a.IsNew}}
}

// admit takes a place for the order and makes it ready for the books.
func (in *Intake) admit(o order.Order) (order.Entry, error) {
	entry := order.Entry{Order: o, Queue: in.router.Queue(o)}
	if err := in.gate.Admit(entry.Queue, sizeOf(o)); err != nil {
		return order.Entry{}, err
	}
	return entry, nil
}

const (
	// orderOverhead is roughly what Redis needs for an order beside its text: record,
	// indexes, event and task, in bytes.
	orderOverhead = 2000
	// itemOverhead is what it needs for an item beside its name.
	itemOverhead = 4
)

// sizeOf is about how many bytes of Redis an order will take.
func sizeOf(o order.Order) int64 {
	text := len(o.Customer) + len(o.Address) + len(o.Notes)
	for _, item := range o.Items {
		text += len(item) + itemOverhead
	}
	return int64(orderOverhead + text + text/4) // Redis rounds up
}

// repeated answers for an order that the gate did not let in: if it was
// accepted earlier, perhaps just before it in the same batch, its client gets the
// record, as after any other submission.
func (in *Intake) repeated(ctx context.Context, s submitted, busy error) order.Acceptance {
	if s.made {
		return order.Acceptance{Err: busy}
	}
	o := s.order
	rec, err := in.ledger.Get(ctx, o.ID)
	switch {
	case err != nil:
		return order.Acceptance{Err: busy}
	case rec.Fingerprint() != o.Fingerprint():
		return order.Acceptance{Err: fmt.Errorf("accept order %s: %w", o.ID, order.ErrConflict)}
	default:
		return order.Acceptance{Record: rec}
	}
}

// accept records the orders.
func (in *Intake) accept(ctx context.Context, entries []order.Entry) []order.Acceptance {
	if len(entries) == 0 {
		return nil
	}
	all, err := in.ledger.AcceptAll(ctx, entries)
	if err != nil {
		all = make([]order.Acceptance, len(entries))
		for i := range all {
			all[i].Err = err
		}
	}
	return all
}

// enqueue asserts the tasks of orders. A failure is no reason to refuse an order: it
// is in the books, and reconcile will find it there.
func (in *Intake) enqueue(ctx context.Context, waiting []order.Handover) {
	if len(waiting) == 0 {
		return
	}
	if err := in.queue.EnqueueAll(ctx, waiting); err != nil {
		// The line belongs to the request of the order that it names: ctx may be that of
		// a group.
		in.log.WarnContext(waiting[0].Origin, "orders are recorded but not queued yet; reconcile will queue them",
			"order_id", waiting[0].Record.ID, "orders", len(waiting), "error", err)
	}
}
