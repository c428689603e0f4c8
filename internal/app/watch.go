package app

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"orderprocessor/internal/ledger"
)

const (
	// watchInterval is how often Redis is checked while the program runs.
	watchInterval = 5 * time.Second
	// watchTimeout bounds one look at it.
	watchTimeout = 3 * time.Second
)

// watch checks again and again what orders depend on: the settings of Redis,
// which can change while it runs, and this machine's clock.
type watch struct {
	books  *ledger.Ledger
	clock  func() time.Time
	log    *slog.Logger
	latest atomic.Pointer[[]check]
	// needsClock says that orders depend on this machine's clock.
	needsClock bool
	// afterLook is told whether the clock is too far off to work orders.
	afterLook func(clockIsOff bool)
}

func newWatch(books *ledger.Ledger, clock func() time.Time, log *slog.Logger) *watch {
	w := &watch{books: books, clock: clock, log: log, afterLook: func(bool) {}}
	w.latest.Store(&[]check{})
	return w
}

// checks returns what the last look found, nothing before the first.
func (w *watch) checks() []check { return *w.latest.Load() }

// unsafe returns the check that keeps orders from being safe in this Redis, or nil.
func (w *watch) unsafe() error {
	for _, c := range w.checks() {
		if c.State == checkFailed && c.Name != checkClock {
			return errors.New(c.Detail)
		}
	}
	return nil
}

// failed returns the check that keeps this process from its work, or nil.
func (w *watch) failed() error {
	if w.needsClock && w.clockIsOff() {
		return errClock
	}
	return w.unsafe()
}

var errClock = errors.New("the clock of this machine is too far from that of Redis: no orders are fetched")

func (w *watch) clockIsOff() bool {
	for _, c := range w.checks() {
		if c.State == checkFailed && c.Name == checkClock {
			return true
		}
	}
	return false
}

// run looks every five seconds until ctx ends. While Redis is away, what was found
// last stands.
func (w *watch) run(ctx context.Context) error {
	for pause(ctx, watchInterval); ctx.Err() == nil; pause(ctx, watchInterval) {
		if err := w.look(ctx); err != nil {
			w.log.Debug("Redis could not be checked", "error", err)
		}
	}
	return nil
}

// look checks everything once and logs what has changed. It returns
// order.ErrUnavailable when Redis could not be asked.
func (w *watch) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	settings, err := w.books.Settings(ctx)
	if err != nil {
		return err
	}
	difference, err := w.clockDifference(ctx)
	if err != nil {
		return err
	}
	found := append(judge(settings), judgeClock(difference))
	w.tell(settings, found)
	w.latest.Store(&found)
	w.afterLook(w.clockIsOff())
	return nil
}

// clockDifference is how far the clock of Redis is ahead of this machine's, less
// what the question itself may have taken.
func (w *watch) clockDifference(ctx context.Context) (time.Duration, error) {
	asked := w.clock()
	theirs, err := w.books.Now(ctx)
	answered := w.clock()
	switch {
	case err != nil:
		return 0, err
	case theirs.Before(asked):
		return theirs.Sub(asked), nil
	case theirs.After(answered):
		return theirs.Sub(answered), nil
	default:
		return 0, nil
	}
}

// tell logs each check whose state is new.
func (w *watch) tell(s ledger.Settings, found []check) {
	before := map[string]string{}
	for _, c := range w.checks() {
		before[c.Name] = c.State
	}
	levels := map[string]slog.Level{checkOK: slog.LevelInfo, checkWarning: slog.LevelWarn, checkFailed: slog.LevelError}
	for _, c := range found {
		if c.State != before[c.Name] {
			w.log.Log(context.Background(), levels[c.State], "Redis is checked",
				"check", c.Name, "state", c.State, "detail", c.Detail, "redis_version", s.Version, "appendfsync", s.AppendFsync)
		}
	}
}
