// Package archiving brings orders from the ledger into the archive.
//
// It receives the histories of orders that are due, puts them into the archive in batches,
// and only then tells the ledger, which keeps an order until it is told. It also forgets
// orders in the archive after their retention there. It owns nothing: a crash at any step
// leaves orders due that the archive may have, and they are put again.
//
// One process at a time leads and does so. Two do no harm, as the archive keeps the
// newest history, and the ledger takes back a mark only if its order has not changed.
package archiving

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"orderprocessor/internal/order"
)

// Ledger knows which orders are due; ledger.Ledger documents each method.
type Ledger interface {
	Now(ctx context.Context) (time.Time, error)
	Due(ctx context.Context, limit int) ([]order.History, error)
	Archived(ctx context.Context, histories []order.History, state order.ArchiveState) (markAll bool, err error)
	Postpone(ctx context.Context, ids []string) error
	MarkAll(ctx context.Context) (more bool, err error)
}

// Archive keeps orders for good; archive.Archive documents each method.
type Archive interface {
	Put(ctx context.Context, histories []order.History) error
	State(ctx context.Context) (order.ArchiveState, error)
	Forget(ctx context.Context, before time.Time, limit int) (int, error)
}

const (
	// batchSize is how many orders are put at once: the work of some 30 ms, and one sync
	// of the disk.
	batchSize = 500
	// interval is the time between two looks for orders that are due. A settled order is
	// in the archive within five seconds.
	interval = 500 * time.Millisecond
	// maxWait is the longest wait after an error. The first is interval, and each doubles.
	maxWait = 5 * time.Second
	// stepTimeout bounds one batch.
	stepTimeout = 30 * time.Second
	// logInterval is the time between two lines about errors.
	logInterval = 10 * time.Second
	// forgetInterval is how often the retention of the archive is looked after. Orders
	// that come late into the archive stay at least that long, so that the ledger forgets
	// them before it does.
	forgetInterval = time.Minute
	// forgetSize is how many orders leave the archive at once, so that no batch waits long.
	forgetSize = 1000
)

// Config is the configuration of an Archiver.
type Config struct {
	// Leads reports whether this process leads.
	Leads func() bool
	// Retention is how long settled orders stay in the archive; 0 for ever.
	Retention time.Duration
	// Log receives what goes wrong.
	Log *slog.Logger
}

// Archiver brings orders into the archive.
type Archiver struct {
	Config
	ledger  Ledger
	archive Archive
}

// New returns an Archiver; Run starts it.
func New(cfg Config, l Ledger, a Archive) *Archiver {
	return &Archiver{Config: cfg, ledger: l, archive: a}
}

// Run archives until ctx ends, while this process leads. It tries again after errors, and
// may be called once. It returns nil.
func (a *Archiver) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { a.repeat(ctx, interval, a.Step) })
	if a.Retention > 0 {
		running.Go(func() { a.repeat(ctx, forgetInterval, a.Forget) })
	}
	running.Wait()
	return nil
}

// repeat calls step until ctx ends: at once again while it reports that there is more to
// do, else after the wait, and later and later while it fails.
func (a *Archiver) repeat(ctx context.Context, wait time.Duration, step func(context.Context) (more bool, err error)) {
	failed := time.Duration(0)
	var logged time.Time
	for ctx.Err() == nil {
		more, err := false, error(nil)
		if a.Leads() {
			more, err = bounded(ctx, step)
		}
		next := wait
		switch {
		case err != nil && ctx.Err() == nil:
			failed = max(wait, min(2*failed, maxWait))
			next = failed
			if time.Since(logged) >= logInterval {
				logged = time.Now()
				a.Log.WarnContext(ctx, "orders could not be archived; trying again", "retry_in", next, "error", err)
			}
		case more:
			next, failed = 0, 0
		default:
			failed = 0
		}
		pause(ctx, next)
	}
}

func bounded(ctx context.Context, step func(context.Context) (bool, error)) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	return step(ctx)
}

// Step archives one batch of the orders that are due, and reports whether there is more to
// do. Orders that cannot be read, or that the archive refuses, do not keep the others out.
func (a *Archiver) Step(ctx context.Context) (more bool, err error) {
	state, err := a.archive.State(ctx)
	if err != nil {
		return false, err
	}
	due, err := a.ledger.Due(ctx, batchSize)
	if errors.Is(err, order.ErrUnreadable) {
		a.Log.ErrorContext(ctx, "orders cannot be read, and so not be archived", "error", err)
	} else if err != nil {
		return false, err
	}
	more = len(due) >= batchSize
	if len(due) > 0 {
		if due, err = a.put(ctx, due); err != nil {
			return false, err
		}
		if state, err = a.archive.State(ctx); err != nil {
			return false, err
		}
	}
	markAll, err := a.ledger.Archived(ctx, due, state)
	if err == nil && markAll && !more { // first what is marked, so that marks do not pile up
		return a.ledger.MarkAll(ctx)
	}
	return more, err
}

// put puts a batch, or one order after the other if the archive refuses some order of it,
// and returns those that it has.
func (a *Archiver) put(ctx context.Context, due []order.History) ([]order.History, error) {
	err := a.archive.Put(ctx, due)
	if err == nil || errors.Is(err, order.ErrUnavailable) || ctx.Err() != nil {
		return due, err
	}
	var put []order.History
	var refused []string
	for _, h := range due {
		err := a.archive.Put(ctx, []order.History{h})
		switch {
		case err == nil:
			put = append(put, h)
		case errors.Is(err, order.ErrUnavailable), ctx.Err() != nil:
			return nil, err
		default:
			refused = append(refused, h.Record.ID)
			a.Log.ErrorContext(ctx, "the archive refuses an order", "order_id", h.Record.ID, "error", err)
		}
	}
	return put, a.ledger.Postpone(ctx, refused)
}

// Forget forgets a part of the orders in the archive whose retention has ended, and
// reports whether there may be more.
func (a *Archiver) Forget(ctx context.Context) (more bool, err error) {
	now, err := a.ledger.Now(ctx)
	if err != nil {
		return false, err
	}
	n, err := a.archive.Forget(ctx, now.Add(-a.Retention), forgetSize)
	return n == forgetSize, err
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
