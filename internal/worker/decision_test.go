package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/worker"
)

// deciding are worker.Rules that always decide the same, and count how often.
type deciding struct {
	order.Decision
	asked int
}

func (d *deciding) Decide(context.Context, order.Record) (order.Decision, error) {
	d.asked++
	return d.Decision, nil
}

func holds() order.Decision {
	return order.Decision{Version: "v1", Action: order.ActionHold, Handling: order.HandlingPriority, Rule: "odd", Reason: "looks odd"}
}

func approves(version string, h order.Handling) order.Decision {
	return order.Decision{Version: version, Action: order.ActionApprove, Handling: h}
}

func rejects() order.Decision {
	return order.Decision{Version: "v1", Action: order.ActionReject, Rule: "bad", Reason: "is bad"}
}

// decide gives the bundle a worker with these rules.
func (b *bundle) decide(d order.Decision, f worker.Fulfilment) *deciding {
	rules := &deciding{Decision: d}
	cfg := config()
	cfg.Rules = rules
	b.Worker = worker.New(cfg, b.broken, b.broken, f)
	return rules
}

// decided is an attempt that another worker has begun by a decision.
func decided(token string, d order.Decision) step {
	return func(t *testing.T, b *bundle) {
		t.Helper()
		c := claim(token)
		c.Decision, c.Handling = &d, d.Handling
		if _, err := b.books.Begin(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

// held is the order held by another worker.
func held(t *testing.T, b *bundle) {
	t.Helper()
	if err := b.books.Hold(t.Context(), "o1", holds()); err != nil {
		t.Fatal(err)
	}
}

// released is a held order let go.
func released(t *testing.T, b *bundle) {
	t.Helper()
	if _, err := b.books.Release(t.Context(), "o1", order.Intervention{Actor: "ops"}); err != nil {
		t.Fatal(err)
	}
}

// TestDecisions checks which decision an attempt carries out: that of the active version in
// the first attempt of a run, and the one of the record in all others.
func TestDecisions(t *testing.T) {
	t.Parallel()
	const standard, priority, expedited = order.HandlingStandard, order.HandlingPriority, order.HandlingExpedited
	second := approves("v2", expedited)
	failedAs := func(d order.Decision) []step {
		return []step{decided("a", d), func(t *testing.T, b *bundle) {
			t.Helper()
			if err := b.books.Fail(t.Context(), claim("a"), order.Failure{Error: "busy", RetryIn: time.Minute}); err != nil {
				t.Fatal(err)
			}
		}}
	}
	for _, row := range []struct {
		name    string
		before  []step
		active  order.Decision
		calls   int32
		status  order.Status
		version string // of the record's decision; empty for none
		want    order.Handling
		asked   int
	}{
		{"held", nil, holds(), 0, order.StatusHeld, "v1", "", 1},
		{"held already", []step{held}, second, 0, order.StatusHeld, "v1", "", 0},
		{"released", []step{held, released}, second, 1, order.StatusCompleted, "v1", priority, 0},
		{"approved", nil, second, 1, order.StatusCompleted, "v2", expedited, 1},
		{"rejected", nil, rejects(), 0, order.StatusRejected, "v1", "", 1},
		{"rejected, and the worker died", []step{decided("a", rejects())}, second, 0, order.StatusRejected, "v1", "", 0},
		{"approved, and the worker died", []step{decided("a", approves("v1", priority))}, rejects(), 1, order.StatusCompleted, "v1", priority, 0},
		{"approved, and it failed", failedAs(approves("v1", standard)), holds(), 1, order.StatusCompleted, "v1", standard, 0},
		{"begun by an earlier version of this program", []step{failed("a")}, holds(), 1, order.StatusCompleted, "", standard, 0},
		{
			"retried",
			[]step{settled("a", order.Outcome{Status: order.StatusFailed, Error: "busy"}), retried("r")},
			second, 1, order.StatusCompleted, "v2", expedited, 1,
		},
		{
			"retried, and now held",
			[]step{decided("a", rejects()), settled("b", order.Outcome{Status: order.StatusRejected, Error: "is bad"}), retried("r")},
			holds(), 0, order.StatusHeld, "v1", "", 1,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			for _, before := range row.before {
				before(t, b)
			}
			f := answers("", nil)
			rules := b.decide(row.active, f)
			attempts := len(b.get(t).Attempts)
			if err := b.Work(t.Context(), "o1"); err != nil {
				t.Errorf("answered %v", err)
			}
			rec := b.get(t)
			if f.calls.Load() != row.calls || rec.Status != row.status || rec.Handling != row.want || rules.asked != row.asked {
				t.Errorf("%d calls, %s, %q, the rules were asked %d times", f.calls.Load(), rec.Status, rec.Handling, rules.asked)
			}
			if (rec.Decision == nil) != (row.version == "") || rec.Decision != nil && rec.Decision.Version != row.version {
				t.Errorf("decided by %+v, want %q", rec.Decision, row.version)
			}
			if row.status == order.StatusHeld && len(rec.Attempts) != attempts {
				t.Errorf("a held order has the attempts %+v", rec.Attempts)
			}
		})
	}
}

// TestDecidedMeanwhile has another worker, or a person, decide an order between the moment
// when it is read and the one when it is decided: that decision counts.
func TestDecidedMeanwhile(t *testing.T) {
	t.Parallel()
	gone := settled("b", order.Outcome{Status: order.StatusFailed, Error: "answered 422"})
	for _, row := range []struct {
		name   string
		during []step
		active order.Decision
		calls  int32
		status order.Status
		want   order.Handling
	}{
		{"approved, and now held", []step{decided("a", approves("v1", order.HandlingPriority))}, holds(), 1, order.StatusCompleted, order.HandlingPriority},
		{"rejected, and now approved", []step{decided("a", rejects())}, approves("v2", order.HandlingStandard), 0, order.StatusRejected, ""},
		{"held, and now approved", []step{held}, approves("v2", order.HandlingStandard), 0, order.StatusHeld, ""},
		{"held, and now held", []step{held}, holds(), 0, order.StatusHeld, ""},
		{"released, and now held", []step{held, released}, holds(), 1, order.StatusCompleted, order.HandlingPriority},
		{"released, and now rejected", []step{held, released}, rejects(), 1, order.StatusCompleted, order.HandlingPriority},
		{"cancelled, and now held", []step{cancelled}, holds(), 0, order.StatusCancelled, ""},
		{"read when released, and now retried", []step{gone, retried("r")}, rejects(), 0, order.StatusRejected, ""},
		{"read when begun by an earlier version, and now retried", []step{gone, retried("r")}, holds(), 0, order.StatusHeld, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			switch {
			case strings.HasPrefix(row.name, "read when released"):
				held(t, b)
				released(t, b)
			case strings.HasPrefix(row.name, "read when begun"):
				failed("a")(t, b)
			}
			f := answers("", nil)
			b.decide(row.active, f)
			read := 0
			records := movesOn{b.broken, func() {
				if read++; read > 1 {
					return
				}
				for _, during := range row.during {
					during(t, b)
				}
			}}
			cfg := b.Config
			b.Worker = worker.New(cfg, records, b.broken, f)
			if err := b.Work(t.Context(), "o1"); err != nil {
				t.Errorf("answered %v", err)
			}
			if rec := b.get(t); f.calls.Load() != row.calls || rec.Status != row.status || rec.Handling != row.want {
				t.Errorf("%d calls, %s, %q", f.calls.Load(), rec.Status, rec.Handling)
			}
		})
	}
}

// TestFaultsOfHold breaks the write of a hold: the order is held once, by the same delivery.
func TestFaultsOfHold(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			f := answers("", nil)
			b.decide(holds(), f)
			b.breaker.Break(fault, redistest.Script("orders:"))
			if n := b.deliver(t); n != 1 || b.breaker.Fired() != 1 || f.calls.Load() != 0 {
				t.Errorf("%d deliveries, %d broken commands, %d calls", n, b.breaker.Fired(), f.calls.Load())
			}
			events, err := b.books.Events(t.Context(), "o1")
			if err != nil || len(events) != 2 || b.get(t).Status != order.StatusHeld {
				t.Errorf("%+v, %v", events, err)
			}
		})
	}
}

// undecided are worker.Rules of which the store is away for a while, or for good.
type undecided struct{ failures int }

func (u *undecided) Decide(ctx context.Context, _ order.Record) (order.Decision, error) {
	if u.failures--; u.failures >= 0 {
		return order.Decision{}, order.ErrUnavailable
	}
	return approves("v1", order.HandlingStandard), ctx.Err()
}

// TestUndecided asks the rules again while their store is away.
func TestUndecided(t *testing.T) {
	b := open(t)
	cfg := config()
	cfg.Rules = &undecided{failures: 2}
	if err := worker.New(cfg, b.broken, b.broken, nil).Work(t.Context(), "o1"); err != nil || b.get(t).Status != order.StatusCompleted {
		t.Errorf("answered %v", err)
	}
}

// unusable are worker.Rules of a version that this program cannot compile.
type unusable struct{}

func (unusable) Decide(context.Context, order.Record) (order.Decision, error) {
	return order.Decision{}, errors.New("compile rules v9: invalid")
}

// TestUnusable gives an order back that cannot be decided: without an attempt, and pending.
func TestUnusable(t *testing.T) {
	b := open(t)
	cfg := config()
	cfg.Rules = unusable{}
	f := answers("", nil)
	err := worker.New(cfg, b.broken, b.broken, f).Work(t.Context(), "o1")
	if rec := b.get(t); verdictOf(err).Kind != deliver || rec.Status != order.StatusPending || len(rec.Attempts) != 0 || f.calls.Load() != 0 {
		t.Errorf("answered %v, the order is %s", err, rec.Status)
	}
}
