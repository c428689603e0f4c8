// Package jobs carries out jobs: it changes all orders that a job selects, one after the
// other, as if each were changed alone.
//
// It receives jobs that the API has recorded in the ledger, and hands each order to intake.
// It owns nothing: the ledger keeps how far a job has come, written together with the change
// of each order, so a job may be carried out by any process, by two at once, or by one after
// the death of another, and changes no order twice and counts none twice. In production the
// leader of recovery carries them out.
package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"orderprocessor/internal/order"
)

// Ledger keeps jobs and orders; see the methods of ledger.Ledger.
type Ledger interface {
	OpenJobs(ctx context.Context) ([]order.Job, error)
	Job(ctx context.Context, id string) (order.Job, error)
	Books
	StepJob(ctx context.Context, j order.Job, step order.JobStep) (order.Job, error)
	Walk(ctx context.Context, f order.Filter, in []order.Status, after order.Position, limit int) (
		histories []order.History, next order.Position, err error)
}

// Orders changes one order; see the methods of intake.Intake.
type Orders interface {
	Cancel(ctx context.Context, id string, by order.Intervention) (order.Record, error)
	Retry(ctx context.Context, id string, by order.Intervention) (order.Record, error)
	Release(ctx context.Context, id string, by order.Intervention) (order.Record, error)
	Reject(ctx context.Context, id string, by order.Intervention) (order.Record, error)
}

// Books erases orders in the ledger; see the methods of ledger.Ledger.
type Books interface {
	Get(ctx context.Context, id string) (order.Record, error)
	EraseOrder(ctx context.Context, rec order.Record, by order.Intervention) error
	EraseInJobs(ctx context.Context, customer string) (running int, err error)
}

// Archive erases orders that have left the ledger; see the methods of archive.Archive.
type Archive interface {
	Search(ctx context.Context, f order.Filter, after order.Position, limit int) (
		records []order.Record, next order.Position, err error)
	Erase(ctx context.Context, customer string, limit int) (erased, left int, err error)
}

const (
	// interval is the time between two questions for jobs to carry out.
	interval = 500 * time.Millisecond
	// pageSize is how many orders are read at once.
	pageSize = 200
	// retryWait is how long a job waits after an error, and while there is no room for
	// orders, before it asks again whether it may go on.
	retryWait = time.Second
	// outcomeWait is the time between two looks at the outcomes of a canary.
	outcomeWait = 200 * time.Millisecond
	// turnWait is how long a job waits when another process has brought it forward.
	turnWait = 20 * time.Millisecond
	// logInterval is the least time between two log lines about errors of one job.
	logInterval = 10 * time.Second
)

// Config is the configuration of a Runner.
type Config struct {
	// Leads reports whether this process is to carry out jobs.
	Leads func() bool
	// Admit keeps the admission of Orders up to date until ctx ends. It runs while jobs do;
	// nil means that there is nothing to do.
	Admit func(ctx context.Context) error
	// Archive is nil where there is none.
	Archive Archive
	// Log receives a line when a job was counted, and when it has ended.
	Log *slog.Logger
}

// Runner carries out jobs.
type Runner struct {
	Config
	ledger Ledger
	orders Orders
	goes   sync.WaitGroup
	mu     sync.Mutex
	going  map[string]bool // ids of the jobs that this process carries out
	// retryWait is the constant of that name; tests replace it.
	retryWait time.Duration
}

// New returns a Runner; Run starts it.
func New(cfg Config, l Ledger, o Orders) *Runner {
	return &Runner{Config: cfg, ledger: l, orders: o, going: map[string]bool{}, retryWait: retryWait}
}

// Run carries out jobs until ctx ends, while this process leads. It may be called once, and
// returns nil.
func (r *Runner) Run(ctx context.Context) error {
	defer r.goes.Wait()
	var admits context.CancelFunc
	var logged time.Time
	for ctx.Err() == nil {
		if err := r.start(ctx); err != nil && ctx.Err() == nil && time.Since(logged) >= logInterval {
			logged = time.Now()
			r.Log.WarnContext(ctx, "jobs cannot be read; trying again", "error", err)
		}
		switch busy := r.busy(); {
		case busy && admits == nil && r.Admit != nil:
			var admitting context.Context
			admitting, admits = context.WithCancel(ctx)
			r.goes.Go(func() { _ = r.Admit(admitting) })
		case !busy && admits != nil:
			admits()
			admits = nil
		}
		pause(ctx, interval)
	}
	if admits != nil {
		admits()
	}
	return nil
}

// start begins to carry out every job that runs, unless this process does so already.
func (r *Runner) start(ctx context.Context) error {
	if !r.Leads() {
		return nil
	}
	open, err := r.ledger.OpenJobs(ctx)
	for _, j := range open {
		if j.State == order.JobPaused || !r.claim(j.ID) {
			continue
		}
		r.goes.Go(func() {
			defer r.leave(j.ID)
			r.CarryOut(ctx, j.ID)
		})
	}
	return err
}

func (r *Runner) claim(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.going[id]
	r.going[id] = true
	return !known
}

func (r *Runner) leave(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.going, id)
}

func (r *Runner) busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.going) > 0
}

// CarryOut carries out a job until it has ended or is paused, ctx ends, or this process does
// not lead any more. Errors are logged and tried again.
func (r *Runner) CarryOut(ctx context.Context, id string) {
	run := &run{Runner: r}
	var logged time.Time
	for ctx.Err() == nil && r.Leads() {
		j, err := r.ledger.Job(ctx, id)
		if errors.Is(err, order.ErrNoJob) || err == nil && (j.State.Ended() || j.State == order.JobPaused) {
			return
		}
		wait := time.Duration(0)
		if err == nil {
			wait, err = run.forward(ctx, j)
		}
		var busy *order.BusyError
		switch {
		case err == nil:
		case errors.Is(err, order.ErrNotItsTurn):
			wait = turnWait
		default:
			wait = r.retryWait
			if !errors.As(err, &busy) && ctx.Err() == nil && time.Since(logged) >= logInterval {
				logged = time.Now()
				r.Log.WarnContext(ctx, "job could not go on; trying again", "job_id", id, "error", err)
			}
		}
		pause(ctx, wait)
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
