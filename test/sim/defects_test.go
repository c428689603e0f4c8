package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/worker"
)

// defect is a mistake that is planted around the code under test.
type defect struct {
	intake           func(*sim, intake.Ledger) intake.Ledger
	attempts         func(*sim, worker.Attempts) worker.Attempts
	tasks            func(recovery.Tasks) recovery.Tasks
	queue            func(recovery.Queue) recovery.Queue
	executed         func(s *sim, script string, cmd redis.Cmder)
	acknowledgeFirst bool
}

// TestFindsDefects plants defects, and checks that a few seeds find each of them and give the
// same findings again.
func TestFindsDefects(t *testing.T) {
	t.Parallel()
	const most = 1000 // only ends a search that fails
	rows := []struct {
		name, finding string
		defect        defect
	}{
		{"an outcome is counted again when it is written again", "the indexes were rebuilt", defect{executed: countsAgain("attempt", "settle", "g:completed")}},
		{"a retry is counted again when it is written again", "the books do not balance", defect{executed: countsAgain("retry", "", "retried", "y:failed")}},
		{"a task is acknowledged before its order is worked", "was acknowledged while", defect{acknowledgeFirst: true}},
		{"recovery requeues no orphan", "after the last fault", defect{tasks: func(q recovery.Tasks) recovery.Tasks { return neverRequeues{q} }}},
		{"recovery enqueues no missing task", "after the last fault", defect{queue: func(q recovery.Queue) recovery.Queue { return alwaysHolds{q} }}},
		{"a cancel is answered and not applied", "was cancelled and is", defect{intake: func(_ *sim, l intake.Ledger) intake.Ledger { return cancelsNothing{l} }}},
		{"an order is answered as accepted when Redis does not answer", "was accepted and is lost", defect{intake: func(_ *sim, l intake.Ledger) intake.Ledger { return acceptsAnyway{l} }}},
		{"a worker whose lease has ended settles its order", "without a reason", defect{attempts: func(_ *sim, a worker.Attempts) worker.Attempts { return settlesStale{a} }}},
		{"an order that is settled is worked", "after its cancel was answered", defect{attempts: func(_ *sim, a worker.Attempts) worker.Attempts { return worksSettled{a} }}},
		{"an order is held nowhere", "was acknowledged while", defect{attempts: func(_ *sim, a worker.Attempts) worker.Attempts { return holdsNothing{a} }}},
		{"attempts are not bounded", "are allowed", defect{attempts: func(_ *sim, a worker.Attempts) worker.Attempts { return countsNothing{a} }}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= most; seed++ {
				found := simulate(t, seed, row.defect)
				if !strings.Contains(strings.Join(found.findings, "\n"), row.finding) {
					continue
				}
				again := simulate(t, seed, row.defect)
				if diff := cmp.Diff(found.findings, again.findings); diff != "" {
					t.Errorf("seed %d found something else again (-first +second):\n%s", seed, diff)
				}
				t.Logf("seed %d: %s", seed, strings.Join(found.findings, "; "))
				return
			}
			t.Errorf("no seed up to %d found it", most)
		})
	}
}

// countsAgain adds to counters when a script, or this step of it, runs again with the same
// arguments.
func countsAgain(script, step string, counters ...string) func(*sim, string, redis.Cmder) {
	return func(s *sim, name string, cmd redis.Cmder) {
		if name != script || step != "" && !slices.Contains(cmd.Args(), any(step)) {
			return
		}
		call := fmt.Sprint(cmd.Args()[2:])
		if s.executed[call]++; s.executed[call] == 1 {
			return
		}
		for _, counter := range counters {
			s.redis.HIncrBy(context.Background(), ledgertest.CountersKey, counter, 1)
		}
	}
}

type neverRequeues struct{ recovery.Tasks }

func (neverRequeues) Requeue(context.Context, recovery.Orphan) (bool, error) { return true, nil }

type alwaysHolds struct{ recovery.Queue }

func (alwaysHolds) Holds(context.Context, order.Record) (bool, error) { return true, nil }

type cancelsNothing struct{ intake.Ledger }

func (l cancelsNothing) Cancel(ctx context.Context, id string, _ order.Intervention) (order.Record, error) {
	return l.Get(ctx, id)
}

type acceptsAnyway struct{ intake.Ledger }

func (l acceptsAnyway) AcceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	all, err := l.Ledger.AcceptAll(ctx, entries)
	if errors.Is(err, order.ErrUnavailable) {
		all = make([]order.Acceptance, len(entries))
		for i, e := range entries {
			all[i] = order.Acceptance{Record: order.Record{Order: e.Order, Status: order.StatusCompleted}, IsNew: true}
		}
		return all, nil
	}
	return all, err
}

type settlesStale struct{ worker.Attempts }

func (a settlesStale) Fail(ctx context.Context, c order.Claim, f order.Failure) error {
	err := a.Attempts.Fail(ctx, c, f)
	if !errors.Is(err, order.ErrStale) {
		return err
	}
	c.Token += "!"
	if _, err := a.Begin(ctx, c); err != nil {
		return err
	}
	return a.Settle(ctx, c, order.Outcome{Status: order.StatusFailed, Error: f.Error})
}

func (a settlesStale) Settle(ctx context.Context, c order.Claim, out order.Outcome) error {
	err := a.Attempts.Settle(ctx, c, out)
	if !errors.Is(err, order.ErrStale) {
		return err
	}
	return a.Fail(ctx, c, order.Failure{Error: "too late"})
}

type worksSettled struct{ worker.Attempts }

func (a worksSettled) Begin(ctx context.Context, c order.Claim) (order.Begun, error) {
	begun, err := a.Attempts.Begin(ctx, c)
	if errors.Is(err, order.ErrSettled) {
		return order.Begun{Number: 1, Try: 1, Counted: 1}, nil
	}
	return begun, err
}

type holdsNothing struct{ worker.Attempts }

func (holdsNothing) Hold(context.Context, string, order.Decision) error { return nil }

type countsNothing struct{ worker.Attempts }

func (a countsNothing) Begin(ctx context.Context, c order.Claim) (order.Begun, error) {
	c.MaxAttempts = 0
	begun, err := a.Attempts.Begin(ctx, c)
	begun.Counted = 0
	return begun, err
}
