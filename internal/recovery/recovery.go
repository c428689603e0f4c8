// Package recovery finds and repairs what a crash left behind, so that the ledger and
// the queues agree again.
//
// It receives unsettled orders from the ledger and tasks from the queue. Each kind of
// repair has a file: orders whose worker is gone (orphans.go), orders that kill their
// workers (poison.go), tasks that are corrupt (corrupt.go), missing (missing.go) or
// stale (stale.go), and indexes that do not match the records (reindex.go). It also ends
// holds that have expired (expiry.go), and forgets settled orders after their retention
// (retention.go).
//
// One process at a time leads and repairs. Every repair reads the order again before it
// changes anything and may be repeated, so a second leader does no harm. The package
// owns nothing in Redis: the ledger and the queue write each repair.
package recovery

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"orderprocessor/internal/order"
)

// Ledger is what recovery reads and writes in the ledger; ledger.Ledger documents each
// method. All of them return order.ErrUnavailable when Redis does not answer.
type Ledger interface {
	Now(ctx context.Context) (time.Time, error)
	Lead(ctx context.Context, name string, term, retention time.Duration) (order.Duty, error)
	Get(ctx context.Context, id string) (order.Record, error)
	Waiting(ctx context.Context, s order.Status, after, before time.Time, limit int) (
		records []order.Record, next time.Time, err error)
	Lost(ctx context.Context, id string, lost order.LostAttempt) (order.Loss, error)
	Quarantined(ctx context.Context) (id string, err error)
	Quarantine(ctx context.Context, id string, term time.Duration) (quarantined string, err error)
	EndQuarantine(ctx context.Context, id string) error
	Balance(ctx context.Context) (drift int64, reindexed int, err error)
	Forget(ctx context.Context, cutoff time.Time, limit int) (int, error)
	ForgetEvents(ctx context.Context, cutoff time.Time) error
	Expired(ctx context.Context, now time.Time, skip, limit int) (ids []string, err error)
	Release(ctx context.Context, id string, by order.Intervention) (order.Record, error)
	Reject(ctx context.Context, id string, by order.Intervention) (order.Record, error)
	Requeued(ctx context.Context, id, token string) (counted bool, err error)
	Repaired(ctx context.Context, kind order.Repair, n int, token string) error
}

// Queue reports whether an order has a task and adds one; see queue.Producer.
type Queue interface {
	Holds(ctx context.Context, rec order.Record) (bool, error)
	Enqueue(ctx context.Context, rec order.Record) (added bool, err error)
}

// Tasks finds, moves and removes the tasks that Asynq has lost track of; see queue.Tasks.
type Tasks interface {
	Count(ctx context.Context) (Counts, error)
	Orphans(ctx context.Context, now time.Time) ([]Orphan, error)
	Active(ctx context.Context) ([]ActiveTask, error)
	Requeue(ctx context.Context, o Orphan) (bool, error)
	DropLease(ctx context.Context, o Orphan) error
	StoreCorrupt(ctx context.Context, q order.Queue, id string) (bool, error)
	Delayed(ctx context.Context) (found []DelayedTask, done bool, err error)
	Remove(ctx context.Context, t DelayedTask) (bool, error)
}

const (
	// leaderInterval is how often orphans are looked for, expired holds ended and settled
	// orders forgotten.
	leaderInterval = time.Second
	// tasksInterval is how often the ledger is compared with the queues.
	tasksInterval = 10 * time.Second
	// leaderTerm is how long a process leads without asking again. Another process
	// takes over from a killed leader before the leases that it saved expire.
	leaderTerm = 2 * time.Second
	// tokenChars is the length of a repair's token: 80 random bits.
	tokenChars = 16
)

// Config is the configuration of a Repairer.
type Config struct {
	Name      string        // identifies this process among all others
	Retention time.Duration // how long settled orders are kept
	Log       *slog.Logger  // receives a line for each repair
}

// Repairer repairs what crashes leave behind.
type Repairer struct {
	Config
	ledger Ledger
	queue  Queue
	tasks  Tasks

	leads  atomic.Bool
	duty   atomic.Pointer[order.Duty] // as of the last call of lead
	counts atomic.Pointer[Counts]     // likewise
	after  map[order.Status]time.Time // acceptance time where the next missing-task walk starts
	// skipped is how many expired holds that could not be ended the next call skips.
	skipped atomic.Int64
}

// New returns a Repairer; Run starts it.
func New(cfg Config, l Ledger, q Queue, t Tasks) *Repairer {
	r := &Repairer{Config: cfg, ledger: l, queue: q, tasks: t, after: map[order.Status]time.Time{}}
	r.duty.Store(&order.Duty{})
	r.counts.Store(&Counts{})
	return r
}

// Run repairs until ctx ends, while this process leads: orphans, holds and retention every
// second, tasks every ten seconds. Failures are logged and tried again. It may be called
// once, and returns nil.
func (r *Repairer) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { r.every(ctx, leaderInterval, r.lead) })
	running.Go(func() {
		r.every(ctx, leaderInterval, r.asLeader(func() bool { return r.duty.Load().RetentionOver }, r.Forget))
	})
	running.Go(func() {
		r.every(ctx, leaderInterval, r.asLeader(func() bool { return r.duty.Load().HoldExpired }, r.EndExpiredHolds))
	})
	running.Go(func() { r.every(ctx, tasksInterval, r.asLeader(always, r.compare)) })
	running.Wait()
	return nil
}

// every calls step at each interval until ctx ends, and logs at most one failure in ten
// seconds.
func (r *Repairer) every(ctx context.Context, interval time.Duration, step func(context.Context) error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var logged time.Time
	for {
		if err := step(ctx); err != nil && ctx.Err() == nil && time.Since(logged) >= tasksInterval {
			logged = time.Now()
			r.Log.WarnContext(ctx, "recovery could not finish; trying again", "retry_in", interval, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Leads reports whether this process leads. Two processes may believe so for up to two
// seconds, so what a leader does must bear being done twice.
func (r *Repairer) Leads() bool { return r.leads.Load() }

// lead asks to lead, and requeues orphans if this process does.
func (r *Repairer) lead(ctx context.Context) error {
	duty, err := r.ledger.Lead(ctx, r.Name, leaderTerm, r.Retention)
	r.leads.Store(duty.Leads && err == nil)
	r.duty.Store(&duty)
	if err != nil || !duty.Leads {
		return err
	}
	counts, err := r.tasks.Count(ctx)
	r.counts.Store(&counts)
	if err != nil || counts.Active == 0 {
		return err
	}
	return r.RequeueOrphans(ctx, duty.At)
}

// compare repairs tasks, if there are orders or tasks that can lack each other. Indexes are
// rebuilt first in any case: what they lack is seen by neither.
func (r *Repairer) compare(ctx context.Context, now time.Time) error {
	if r.duty.Load().Unsettled || r.counts.Load().Delayed > 0 {
		return r.RepairTasks(ctx, now)
	}
	return r.reindex(ctx)
}

func always() bool { return true }

// asLeader returns a step that calls repair with the time of Redis while this process
// leads and there is something to do, and otherwise does nothing.
func (r *Repairer) asLeader(needed func() bool, repair func(ctx context.Context, now time.Time) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if !r.Leads() || !needed() {
			return nil
		}
		now, err := r.ledger.Now(ctx)
		if err != nil {
			return err
		}
		return repair(ctx, now)
	}
}

// repaired counts n repairs of one kind. A crash or an error just before it loses the
// count, never the repair.
func (r *Repairer) repaired(ctx context.Context, kind order.Repair, n int) error {
	if n == 0 {
		return nil
	}
	return r.ledger.Repaired(ctx, kind, n, token())
}

// token returns a name for one call, so that the ledger counts a repeated call once.
func token() string { return rand.Text()[:tokenChars] }
