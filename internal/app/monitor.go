package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// monitorInterval is the time between two checks while the program runs.
	monitorInterval = 2 * time.Second
	// monitorRetry is that time after a check that failed.
	monitorRetry = 500 * time.Millisecond
	// monitorTimeout bounds one check.
	monitorTimeout = 3 * time.Second
)

// monitor repeats the checks on which each order depends: the settings of Redis, which
// may change while the program runs, and the clock of this machine. Its results are
// safe for concurrent use.
type monitor struct {
	redis  *reader
	log    *slog.Logger
	latest atomic.Pointer[[]Finding]
	// needsClock means that orders depend on the clock of this machine.
	needsClock bool
	// register registers the queues with Asynq: an emptied Redis or a promoted replica
	// may lack them. It may be nil.
	register func(ctx context.Context) error
	// afterCheck learns whether the clock is too far off to process orders.
	afterCheck func(clockIsOff bool)
}

func newMonitor(redis *reader, log *slog.Logger) *monitor {
	m := &monitor{redis: redis, log: log, afterCheck: func(bool) {}}
	m.latest.Store(&[]Finding{})
	return m
}

// findings returns the results of the last check, none before the first.
func (m *monitor) findings() []Finding { return *m.latest.Load() }

// failedCheck reports whether the check of this name has failed.
func (m *monitor) failedCheck(name string) bool {
	return slices.ContainsFunc(m.findings(), func(f Finding) bool { return f.Check == name && f.State == FindingProblem })
}

// unsafe returns the first failed check, or nil. It ignores the clock and the checks in
// except.
func (m *monitor) unsafe(except ...string) error {
	for _, f := range m.findings() {
		if f.State == FindingProblem && f.Check != checkClock && !slices.Contains(except, f.Check) {
			return errors.New(f.Found)
		}
	}
	return nil
}

var errClock = errors.New("the clock of this machine is too far from that of Redis: no orders are fetched")

// failed returns why this process cannot do its work, or nil.
func (m *monitor) failed() error {
	if m.needsClock && m.failedCheck(checkClock) {
		return errClock
	}
	return m.unsafe()
}

// blocks reports whether the check of this name keeps the process from its work.
func (m *monitor) blocks(name string) bool {
	return m.failedCheck(name) && (name != checkClock || m.needsClock)
}

// run repeats the check until ctx ends. While Redis does not answer, the last results
// remain.
func (m *monitor) run(ctx context.Context) error {
	wait := monitorInterval
	for pause(ctx, wait); ctx.Err() == nil; pause(ctx, wait) {
		wait = monitorInterval
		err := m.check(ctx)
		if err != nil {
			m.log.Debug("Redis could not be checked", "error", err)
		}
		if err != nil || m.unsafe() != nil {
			wait = monitorRetry
		}
	}
	return nil
}

// check runs all checks once and logs those whose state has changed. It returns an
// error if Redis did not answer.
func (m *monitor) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, monitorTimeout)
	defer cancel()
	f := &facts{}
	found, err := m.examine(ctx, f)
	if err != nil {
		return err
	}
	m.logChanges(f, found)
	m.latest.Store(&found)
	m.afterCheck(m.failedCheck(checkClock))
	if m.register == nil {
		return nil
	}
	if err := m.register(ctx); err != nil {
		m.log.DebugContext(ctx, "the queues could not be registered", "error", err)
	}
	return nil
}

// examine reads and judges the settings. If Redis refuses to report them, only the
// check for writes has a new result, and it has failed.
func (m *monitor) examine(ctx context.Context, f *facts) ([]Finding, error) {
	if err := m.redis.read(ctx, fromPermissions, f); err != nil {
		return nil, err
	}
	err := m.redis.read(ctx, fromSettings, f)
	if err != nil && !isReply(err) {
		return nil, err
	}
	if err == nil {
		return runChecks(fromSettings, f), nil
	}
	f.refused, f.refusal = nil, err
	found := slices.DeleteFunc(slices.Clone(m.findings()), func(old Finding) bool { return old.Check == checkWritable })
	for _, fresh := range runChecks(fromSettings, f) {
		if fresh.Check == checkWritable {
			found = append(found, fresh)
		}
	}
	return found, nil
}

func (m *monitor) logChanges(f *facts, found []Finding) {
	before := map[string]FindingState{}
	for _, old := range m.findings() {
		before[old.Check] = old.State
	}
	levels := map[FindingState]slog.Level{FindingOK: slog.LevelInfo, FindingProblem: slog.LevelError}
	for _, now := range found {
		if now.State == before[now.Check] {
			continue
		}
		level, known := levels[now.State]
		if !known {
			level = slog.LevelWarn
		}
		m.log.Log(context.Background(), level, "a check of Redis has a new state",
			"check", now.Check, "state", status(now), "detail", now.Found,
			"redis_version", f.settings.Server(), "appendfsync", f.settings.AppendFsync)
	}
}

// status returns the state of a finding as /readyz and the log show it.
func status(f Finding) string {
	switch f.State {
	case FindingOK:
		return "ok"
	case FindingProblem:
		return "failed"
	default:
		return "warning"
	}
}
