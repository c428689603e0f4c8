package jobs

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

// erasePage is how many orders the archive erases at once.
const erasePage = 500

// erase brings the erasure of a customer forward: it counts, erases orders in the ledger,
// and at the end those in the archive, and the name in jobs that have ended.
func (r *run) erase(ctx context.Context, j order.Job) error {
	page, next, err := r.page(ctx, j, pageSize)
	if err != nil {
		return err
	}
	if j.State == order.JobCounting {
		return r.countErased(ctx, j, page, next)
	}
	for _, h := range page {
		if err := r.await(ctx, j); err != nil {
			return err
		}
		if j, err = r.eraseOne(ctx, j, h); err != nil {
			return err
		}
	}
	if !next.IsZero() {
		return r.step(ctx, j, order.JobStep{State: order.JobRunning, Position: next})
	}
	left, err := r.eraseElsewhere(ctx, j.Filter.Customer)
	if err != nil {
		return err
	}
	return r.step(ctx, j, order.JobStep{State: order.JobDone, Position: j.Position, Left: left})
}

func (r *run) countErased(ctx context.Context, j order.Job, page []order.History, next order.Position) error {
	step := order.JobStep{State: order.JobCounting, Position: next, Matched: int64(len(page))}
	if next.IsZero() {
		only, err := r.onlyArchived(ctx, j)
		if err != nil {
			return err
		}
		step.State, step.Matched = order.JobRunning, step.Matched+only
	}
	return r.step(ctx, j, step)
}

// eraseOne erases an order in the ledger, and returns the job as it is then. An order that
// is not settled is left alone, and one that has gone is in the archive.
func (r *run) eraseOne(ctx context.Context, j order.Job, h order.History) (order.Job, error) {
	at := order.Position{CreatedAt: h.Record.CreatedAt, ID: h.Record.ID}
	err := r.ledger.EraseOrder(ctx, h.Record, j.Intervention(0))
	var moved *order.StatusError
	switch {
	case err == nil, errors.As(err, &moved):
		j.Position = at
		return j, nil
	case errors.Is(err, order.ErrNotFound):
		return j, nil
	case errors.Is(err, order.ErrNotItsTurn), errors.Is(err, order.ErrUnavailable), ctx.Err() != nil:
		return j, err
	}
	r.Log.ErrorContext(ctx, "job cannot change an order", "job_id", j.ID, "order_id", h.Record.ID, "error", err)
	return r.ledger.StepJob(ctx, j, order.JobStep{State: order.JobRunning, Position: at, Failed: 1})
}

// onlyArchived counts the customer's orders that the archive has and the ledger has not.
func (r *run) onlyArchived(ctx context.Context, j order.Job) (n int64, err error) {
	if r.Archive == nil {
		return 0, nil
	}
	f := order.Filter{Customer: j.Filter.Customer, CreatedTo: j.CreatedAt.Add(time.Microsecond)}
	for after := (order.Position{}); ; {
		page, next, err := r.Archive.Search(ctx, f, after, erasePage)
		if err != nil {
			return 0, err
		}
		for _, rec := range page {
			kept, err := r.ledger.Get(ctx, rec.ID)
			switch {
			case errors.Is(err, order.ErrNotFound), err == nil && !kept.CreatedAt.Equal(rec.CreatedAt):
				n++
			case err != nil:
				return 0, err
			}
		}
		if after = next; next.IsZero() {
			return n, nil
		}
	}
}

// errJobsRun keeps an erasure from ending while another job has the name.
var errJobsRun = errors.New("other jobs about the customer have not ended")

// eraseElsewhere erases a customer in the archive, and in jobs that have ended. It returns
// how many orders of the customer are left in the archive, as they are not settled.
func (r *run) eraseElsewhere(ctx context.Context, customer string) (left int64, err error) {
	for r.Archive != nil {
		erased, unsettled, err := r.Archive.Erase(ctx, customer, erasePage)
		if err != nil {
			return 0, err
		}
		if left = int64(unsettled); erased == 0 {
			break
		}
	}
	running, err := r.ledger.EraseInJobs(ctx, customer)
	if err == nil && running > 0 {
		err = errJobsRun
	}
	return left, err
}
