package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orderprocessor/internal/order"
)

// run is what one process does for one job.
type run struct {
	*Runner
	due time.Time // when the next order may be changed, of a job with a rate
}

// forward counts a page of orders, or changes one. It returns how long to wait before the
// next.
func (r *run) forward(ctx context.Context, j order.Job) (wait time.Duration, err error) {
	if j.Action == order.JobErase {
		return 0, r.erase(ctx, j)
	}
	if j.Action.Statuses() == nil {
		return 0, r.step(ctx, j, order.JobStep{State: order.JobFailed, Error: "this version does not know the action"})
	}
	if j.State == order.JobCounting {
		return 0, r.count(ctx, j)
	}
	step, wait := next(j)
	switch {
	case wait > 0:
		return wait, nil
	case step.State != "":
		return 0, r.step(ctx, j, step)
	}
	return 0, r.change(ctx, j)
}

// next returns the step that a running job takes before it changes any further order, and
// how long it has to wait; neither if it is to go on.
func next(j order.Job) (step order.JobStep, wait time.Duration) {
	again := j.FailedAgain()
	step.Position = j.Position
	switch {
	case j.StopAfterFailures > 0 && again >= int64(j.StopAfterFailures):
		step.State, step.Error = order.JobStopped, fmt.Sprintf("%d of %d orders failed again", again, j.Done)
	case j.Canary > 0 && !j.CanaryPassed && j.Done >= int64(j.Canary):
		switch {
		case again > 0:
			step.State, step.Error = order.JobPaused, fmt.Sprintf("%d of the first %d orders failed again", again, j.Done)
		case j.Settled() < j.Done:
			return step, outcomeWait
		default:
			step.State, step.CanaryPassed = order.JobRunning, true
		}
	case j.Limit > 0 && j.Done >= int64(j.Limit):
		step.State = order.JobDone
	}
	return step, 0
}

// count counts a page of orders.
func (r *run) count(ctx context.Context, j order.Job) error {
	page, next, err := r.page(ctx, j, pageSize)
	if err != nil {
		return err
	}
	step := order.JobStep{State: order.JobCounting, Position: next}
	for _, h := range page {
		if j.Matches(h) {
			step.Matched++
		}
	}
	switch {
	case !next.IsZero():
	case j.DryRun:
		step.State = order.JobDone
	default:
		step.State = order.JobRunning
	}
	return r.step(ctx, j, step)
}

// change changes a page of orders.
func (r *run) change(ctx context.Context, j order.Job) error {
	size := pageSize
	if j.PerSecond > 0 {
		size = min(size, j.PerSecond) // what waits long has changed meanwhile
	}
	page, next, err := r.page(ctx, j, size)
	if err != nil {
		return err
	}
	for _, h := range page {
		if !j.Matches(h) {
			continue
		}
		if err := r.await(ctx, j); err != nil {
			return err
		}
		if j, err = r.changeOne(ctx, j, h); err != nil {
			return err
		}
	}
	step := order.JobStep{State: order.JobRunning, Position: next}
	if next.IsZero() {
		step.State, step.Position = order.JobDone, j.Position
	}
	return r.step(ctx, j, step)
}

// changeOne changes an order and returns the job as it is then, at the order's position. An
// order that went away, or changed since it was read, is left alone.
func (r *run) changeOne(ctx context.Context, j order.Job, h order.History) (order.Job, error) {
	id, at := h.Record.ID, order.Position{CreatedAt: h.Record.CreatedAt, ID: h.Record.ID}
	by := j.Intervention(h.Sequence)
	var err error
	switch j.Action {
	case order.JobRetry:
		_, err = r.orders.Retry(ctx, id, by)
	case order.JobCancel:
		by.Sequence = 0 // it may go on, as long as it is not settled
		_, err = r.orders.Cancel(ctx, id, by)
	case order.JobRelease:
		_, err = r.orders.Release(ctx, id, by)
	case order.JobReject:
		_, err = r.orders.Reject(ctx, id, by)
	case order.JobErase: // see eraseOne
	}
	var moved *order.StatusError
	var busy *order.BusyError
	switch {
	case err == nil, errors.As(err, &moved):
		j.Position = at
		return j, nil
	case errors.Is(err, order.ErrNotFound):
		return j, nil
	case errors.Is(err, order.ErrNotItsTurn), errors.Is(err, order.ErrUnavailable), errors.As(err, &busy), ctx.Err() != nil:
		return j, err
	}
	r.Log.ErrorContext(ctx, "job cannot change an order", "job_id", j.ID, "order_id", id, "error", err)
	return r.ledger.StepJob(ctx, j, order.JobStep{State: order.JobRunning, Position: at, Failed: 1})
}

// page reads the orders that may be the job's, from its position on.
func (r *run) page(ctx context.Context, j order.Job, size int) ([]order.History, order.Position, error) {
	f := j.Filter
	if after := j.CreatedAt.Add(time.Microsecond); f.CreatedTo.IsZero() || after.Before(f.CreatedTo) {
		f.CreatedTo = after
	}
	page, next, err := r.ledger.Walk(ctx, f, j.Indexes(), j.Position, size)
	if errors.Is(err, order.ErrUnreadable) {
		r.Log.ErrorContext(ctx, "job leaves out orders", "job_id", j.ID, "error", err)
		err = nil
	}
	return page, next, err
}

// await waits until the job may change its next order.
func (r *run) await(ctx context.Context, j order.Job) error {
	if j.PerSecond > 0 {
		pause(ctx, time.Until(r.due))
		if now := time.Now(); r.due.Before(now) {
			r.due = now
		}
		r.due = r.due.Add(time.Second / time.Duration(j.PerSecond))
	}
	if ctx.Err() != nil || !r.Leads() {
		return order.ErrNotItsTurn
	}
	return nil
}

// step brings the job forward, and logs when it was counted and when it has ended.
func (r *run) step(ctx context.Context, j order.Job, step order.JobStep) error {
	now, err := r.ledger.StepJob(ctx, j, step)
	if err != nil || now.State == j.State {
		return err
	}
	r.Log.InfoContext(ctx, "job is "+string(now.State), "job_id", j.ID, "action", j.Action, "actor", j.Actor,
		"matched", now.Matched, "done", now.Done, "skipped", now.Skipped, "failed", now.Failed, "reason", now.Error)
	return nil
}
