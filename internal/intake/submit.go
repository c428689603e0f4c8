package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orderprocessor/internal/batch"
	"orderprocessor/internal/order"
	"orderprocessor/internal/traces"
)

// job is one order on its way through Submit or SubmitAll.
type job struct {
	ctx    context.Context // its caller's: log lines and the order's trace go by it
	entry  order.Entry
	idMade bool             // the client sent no id
	newRun bool             // see order.Handover
	result order.Acceptance // so far
}

// Submit accepts an order and enqueues it. It returns the order's record, and whether
// the order is new; for a repeated order it returns the record from before. An order
// without an id gets one.
//
// It returns order.ErrConflict when the id belongs to another order, *order.ForgottenError
// for a repeated order that is kept neither in the ledger nor in the archive, *order.BusyError
// when there is no room, and order.ErrUnavailable when Redis did not answer: then the
// order may be recorded, and repeating it with its id is safe. For an id that Submit
// made, that error is a *order.UncertainError with the id.
//
// Concurrent submissions share a script. Each has the result that it would have alone.
func (in *Intake) Submit(ctx context.Context, o order.Order) (rec order.Record, isNew bool, err error) {
	j, err := in.newJob(ctx, o)
	if err != nil {
		return order.Record{}, false, err
	}
	var a order.Acceptance
	switch _, err := in.batchers[order.BookOf(j.entry.ID, len(in.batchers))].Do(ctx, j); {
	case errors.Is(err, batch.ErrFull):
		return order.Record{}, false, &order.BusyError{Queue: j.entry.Queue, Reason: order.BusyAccepting, RetryAfter: time.Second}
	case err != nil: // the batch may still be writing to j
		a = j.answer(order.Acceptance{Err: fmt.Errorf("submit order %s: %w: %w", j.entry.ID, order.ErrUnavailable, err)})
	default:
		in.followUp(ctx, []*job{j})
		a = j.result
	}
	return a.Record, a.IsNew, a.Err
}

// SubmitAll submits up to 500 orders, each as Submit does, and returns what became of
// each, in turn. The orders share one script, which is much faster than one script
// for each. When there is room for some only, the first of them get it.
func (in *Intake) SubmitAll(ctx context.Context, orders []order.Order) []order.Acceptance {
	jobs := make([]*job, len(orders))
	for i, o := range orders {
		j, err := in.newJob(ctx, o)
		j.result.Err = err
		jobs[i] = j
	}
	in.accept(ctx, jobs)
	in.followUp(ctx, jobs)
	return results(jobs)
}

// newJob makes an id for an order that has none, and chooses the order's queue.
func (in *Intake) newJob(ctx context.Context, o order.Order) (j *job, err error) {
	j = &job{ctx: ctx, entry: order.Entry{Order: o, TraceID: traces.IDOf(ctx)}, idMade: o.ID == ""}
	if j.idMade {
		if j.entry.ID, err = NewID(); err != nil {
			return j, err
		}
	}
	j.entry.Queue = in.router.Queue(ctx, j.entry.Order)
	return j, nil
}

// accept admits and records the orders and enqueues the new ones. It sets the result
// of every job that has no error yet.
func (in *Intake) accept(ctx context.Context, jobs []*job) {
	admitted := in.admit(jobs)
	var accepted []*job
	for i, a := range in.record(ctx, admitted) {
		j := admitted[i]
		if !a.IsNew {
			in.admission.Release()
		}
		j.newRun, j.result = a.IsNew, j.answer(a)
		if j.result.IsNew {
			accepted = append(accepted, j)
		}
	}
	in.enqueue(ctx, accepted)
}

// admit returns the jobs for whose orders there is room, and sets the error of the
// others.
func (in *Intake) admit(jobs []*job) []*job {
	admitted := make([]*job, 0, len(jobs))
	for _, j := range jobs {
		if j.result.Err != nil {
			continue
		}
		if j.result.Err = in.admission.Admit(j.entry.Queue, sizeOf(j.entry.Content)); j.result.Err == nil {
			admitted = append(admitted, j)
		}
	}
	return admitted
}

const (
	// orderOverhead is roughly what Redis needs for an order besides its text: record,
	// indexes, event and task, in bytes.
	orderOverhead = 2000
	// itemOverhead is what it needs for an item besides its name.
	itemOverhead = 4
	// detailsOverhead is what it needs for quantity and price of an item and their names.
	detailsOverhead = 60
	// metadataOverhead is what it needs for a key of metadata besides key and value.
	metadataOverhead = 6
)

// sizeOf estimates how many bytes of Redis an order needs.
func sizeOf(c order.Content) int64 {
	text := len(c.Customer) + len(c.Address) + len(c.Notes)
	for _, item := range c.Items {
		text += len(item.Name) + len(item.SKU) + itemOverhead
		if item.Detailed {
			text += detailsOverhead
		}
	}
	for key, value := range c.Metadata {
		text += len(key) + len(value) + metadataOverhead
	}
	return int64(orderOverhead + text + text/4) // Redis rounds up
}

// record writes the orders into the ledger and returns what became of each, in turn.
func (in *Intake) record(ctx context.Context, admitted []*job) []order.Acceptance {
	if len(admitted) == 0 {
		return nil
	}
	entries := make([]order.Entry, len(admitted))
	for i, j := range admitted {
		entries[i] = j.entry
	}
	all, err := in.ledger.AcceptAll(ctx, entries)
	if err != nil {
		all = make([]order.Acceptance, len(admitted))
		for i := range all {
			all[i].Err = err
		}
	}
	return all
}

// answer returns the result for the order's client.
func (j *job) answer(a order.Acceptance) order.Acceptance {
	if !j.idMade {
		return a
	}
	if errors.Is(a.Err, order.ErrUnavailable) {
		a.Err = &order.UncertainError{ID: j.entry.ID, Err: a.Err}
	}
	// The id was made just now. If the ledger knows it, Redis received this call twice,
	// so the order is new all the same.
	a.IsNew = a.Err == nil
	return a
}

// followUp does what other submissions of the batch need not wait for. It looks up
// the orders that were not admitted, and enqueues known orders again, in case a crash
// lost their tasks.
func (in *Intake) followUp(ctx context.Context, jobs []*job) {
	var known []*job
	for _, j := range jobs {
		var busy *order.BusyError
		var forgotten *order.ForgottenError
		switch {
		case errors.As(j.result.Err, &forgotten) && in.archive != nil:
			j.result = in.archived(ctx, j, forgotten)
		case errors.As(j.result.Err, &busy):
			j.result = in.known(ctx, j, busy)
		case !j.result.IsNew:
			known = append(known, j)
		}
	}
	in.enqueue(ctx, known)
}

// known is the answer for an order that was not admitted. If the order was accepted
// earlier, perhaps by the same batch, its client gets the record.
func (in *Intake) known(ctx context.Context, j *job, busy error) order.Acceptance {
	if j.idMade {
		return order.Acceptance{Err: busy}
	}
	rec, err := in.ledger.Get(ctx, j.entry.ID)
	switch {
	case err != nil:
		return order.Acceptance{Err: busy}
	case rec.Fingerprint() != j.entry.Fingerprint():
		return order.Acceptance{Err: fmt.Errorf("submit order %s: %w", j.entry.ID, order.ErrConflict)}
	default:
		return order.Acceptance{Record: rec}
	}
}

// archived is the answer for an order that the ledger has forgotten.
func (in *Intake) archived(ctx context.Context, j *job, forgotten *order.ForgottenError) order.Acceptance {
	rec, _, err := in.archive.Get(ctx, j.entry.ID)
	switch {
	case err == nil && rec.CreatedAt.Equal(forgotten.AcceptedAt):
		return order.Acceptance{Record: rec}
	case err == nil, errors.Is(err, order.ErrNotFound):
		return j.result
	default:
		return order.Acceptance{Err: fmt.Errorf("submit order %s: %w", j.entry.ID, err)}
	}
}

// enqueue enqueues those of the orders that wait for a worker or for their time. An
// error does not fail their submissions: the orders are in the ledger, and recovery
// enqueues them.
func (in *Intake) enqueue(ctx context.Context, jobs []*job) {
	var first *job
	var waiting []order.Handover
	for _, j := range jobs {
		rec := j.result.Record
		if rec.Status != order.StatusPending && rec.Status != order.StatusScheduled {
			continue
		}
		if first == nil {
			first = j
		}
		waiting = append(waiting, order.Handover{Record: rec, Trace: traces.ContextOf(j.ctx), NewRun: j.newRun})
	}
	if first == nil {
		return
	}
	if err := in.queue.EnqueueAll(ctx, waiting); err != nil {
		// The log line carries the request of the order that it names: ctx may be that of
		// a batch.
		in.warnNotQueued(first.ctx, waiting, err)
	}
}

// warnNotQueued logs that recorded orders have no task yet.
func (in *Intake) warnNotQueued(ctx context.Context, waiting []order.Handover, err error) {
	in.log.WarnContext(ctx, "orders are recorded but not queued yet; recovery will queue them",
		"order_id", waiting[0].Record.ID, "orders", len(waiting), "error", err)
}

func results(jobs []*job) []order.Acceptance {
	all := make([]order.Acceptance, len(jobs))
	for i, j := range jobs {
		all[i] = j.result
	}
	return all
}
