package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
)

const (
	// watchInterval is how often Redis is checked while the program runs, and
	// watchAgain how soon again after a look that failed or found what must be mended.
	watchInterval = 2 * time.Second
	watchAgain    = 500 * time.Millisecond
	// watchTimeout bounds one look at it.
	watchTimeout = 3 * time.Second
)

// watch checks again and again what orders depend on: the settings of Redis,
// which can change while it runs, and this machine's clock.
type watch struct {
	rdb    redis.UniversalClient
	books  *ledger.Ledger
	clock  func() time.Time
	log    *slog.Logger
	latest atomic.Pointer[[]check]
	// needsClock says that orders depend on this machine's clock.
	needsClock bool
	// register has Asynq know its queues, which a Redis that was emptied, or a replica
	// that is promoted, may have forgotten. Nil does nothing.
	register func(ctx context.Context) error
	// afterLook is told whether the clock is too far off to work orders.
	afterLook func(clockIsOff bool)
}

func newWatch(rdb redis.UniversalClient, books *ledger.Ledger, clock func() time.Time, log *slog.Logger) *watch {
	w := &watch{rdb: rdb, books: books, clock: clock, log: log, afterLook: func(bool) {}}
	w.latest.Store(&[]check{})
	return w
}

// checks returns what the last look found, nothing before the first.
func (w *watch) checks() []check { return *w.latest.Load() }

// unsafe returns the check that keeps orders from being safe in this Redis, or nil. It
// leaves out those that are named.
func (w *watch) unsafe(but ...string) error {
	for _, c := range w.checks() {
		if c.State == checkFailed && c.Name != checkClock && !slices.Contains(but, c.Name) {
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

// run looks again and again until ctx ends. While Redis is away, what was found last
// stands.
func (w *watch) run(ctx context.Context) error {
	wait := watchInterval
	for pause(ctx, wait); ctx.Err() == nil; pause(ctx, wait) {
		wait = watchInterval
		err := w.look(ctx)
		if err != nil {
			w.log.Debug("Redis could not be checked", "error", err)
		}
		if err != nil || w.unsafe() != nil {
			wait = watchAgain
		}
	}
	return nil
}

// look checks everything once and logs what has changed. It returns an error when
// Redis did not answer.
func (w *watch) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	settings, found, err := w.find(ctx)
	if err != nil {
		return err
	}
	w.tell(settings, found)
	w.latest.Store(&found)
	w.afterLook(w.clockIsOff())
	if w.register != nil {
		if err := w.register(ctx); err != nil {
			w.log.DebugContext(ctx, "the queues could not be registered", "error", err)
		}
	}
	return nil
}

// find makes all checks. Where Redis refuses what they ask, the check of that has
// failed, and those that could not be made stand as they were found last. It returns
// an error when Redis did not answer.
func (w *watch) find(ctx context.Context) (ledger.Settings, []check, error) {
	settings, difference, err := w.ask(ctx)
	if isReply(err) {
		others := slices.DeleteFunc(slices.Clone(w.checks()), func(c check) bool { return c.Name == checkWritable })
		return settings, append(others, judgeWritable(settings, nil, err)), nil
	}
	if err != nil {
		return settings, nil, err
	}
	lacking, err := w.lacking(ctx)
	if err != nil && !isReply(err) {
		return settings, nil, err
	}
	return settings, append(judge(settings), judgeWritable(settings, lacking, err), judgeClock(difference)), nil
}

// ask reads what the other checks go by.
func (w *watch) ask(ctx context.Context) (s ledger.Settings, clock time.Duration, err error) {
	if err = tryLogin(ctx, w.rdb); err != nil {
		return s, 0, err
	}
	if s, err = w.books.Settings(ctx); err != nil {
		return s, 0, err
	}
	clock, err = w.clockDifference(ctx)
	return s, clock, err
}

// lacking returns which commands Redis refuses its user, or with which error it refuses
// a write.
func (w *watch) lacking(ctx context.Context) ([]string, error) {
	refused, err := askRefused(ctx, w.rdb, needed())
	if err != nil && !errors.Is(err, redis.Nil) || len(refused) > 0 {
		return refused, err
	}
	return nil, w.books.Writable(ctx)
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
