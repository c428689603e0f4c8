package api_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/rules"
	"orderprocessor/internal/stats"
)

// failing is all parts of a server, each of whose methods fails in the same way.
type failing func() error

func (f failing) Submit(context.Context, order.Order) (rec order.Record, isNew bool, err error) {
	return rec, false, f()
}

func (f failing) SubmitAll(_ context.Context, orders []order.Order) []order.Acceptance {
	all := make([]order.Acceptance, len(orders))
	for i := range all {
		all[i].Err = f()
	}
	return all
}

func (f failing) Cancel(context.Context, string, order.Intervention) (rec order.Record, err error) {
	return rec, f()
}

func (f failing) Retry(context.Context, string, order.Intervention) (rec order.Record, err error) {
	return rec, f()
}

func (f failing) RetryAll(context.Context, intake.RetryFilter, order.Position, int, bool, order.Intervention) (r intake.RetryReport, err error) {
	return r, f()
}

func (f failing) Release(context.Context, string, order.Intervention) (rec order.Record, err error) {
	return rec, f()
}

func (f failing) Reject(context.Context, string, order.Intervention) (rec order.Record, err error) {
	return rec, f()
}

func (f failing) SaveRules(context.Context, order.RuleSet, string) (isNew bool, err error) {
	return false, f()
}

func (f failing) RuleSet(context.Context, string) (set order.RuleSet, err error) { return set, f() }

func (f failing) RuleSets(context.Context) (all []order.RuleSet, in order.RulesInForce, err error) {
	return nil, in, f()
}

func (f failing) RulesInForce(context.Context) (in order.RulesInForce, err error) { return in, f() }

func (f failing) ActivateRules(context.Context, string, order.Intervention) error { return f() }

func (f failing) ShadowRules(context.Context, string, order.Intervention) error { return f() }

func (f failing) ShadowDecisions(context.Context, string) (map[order.Change]int64, error) {
	return nil, f()
}

func (f failing) Version(context.Context, string) (*rules.Set, error) { return nil, f() }

func (f failing) Facts(context.Context, order.Record, bool) (facts rules.Facts, err error) {
	return facts, f()
}

func (f failing) Simulate(context.Context, string, rules.Lister, order.Filter, int, func(*rules.Simulation)) (
	*rules.Simulation, error,
) {
	return nil, f()
}

func (f failing) Get(context.Context, string) (rec order.Record, err error) { return rec, f() }

func (f failing) List(context.Context, order.Filter, order.Position, int) (all []order.Record, next order.Position, err error) {
	return nil, next, f()
}

func (f failing) Events(context.Context, string) ([]order.Event, error) { return nil, f() }

func (f failing) Depths(context.Context) (map[order.Queue]stats.Depth, error) { return nil, f() }

func (f failing) Pause(context.Context, order.Queue) error { return f() }

func (f failing) Resume(context.Context, order.Queue) error { return f() }

func (f failing) CorruptTasks(context.Context, order.Queue, int) ([]recovery.CorruptTask, error) {
	return nil, f()
}

func (f failing) CreateJob(context.Context, order.Job, string) (j order.Job, isNew bool, err error) {
	return j, false, f()
}

func (f failing) Job(context.Context, string) (j order.Job, err error) { return j, f() }

func (f failing) Jobs(context.Context, int) ([]order.Job, error) { return nil, f() }

func (f failing) ChangeJob(context.Context, string, order.JobState, order.Intervention) (j order.Job, err error) {
	return j, f()
}

func (f failing) Audit(context.Context, order.AuditEntry, string) error { return f() }

func (f failing) AuditEntries(context.Context, order.AuditFilter, string, int) (all []order.AuditEntry, next string, err error) {
	return nil, "", f()
}

func (f failing) Snapshot(context.Context) (snap stats.Snapshot, err error) { return snap, f() }

func (f failing) Samples(context.Context, stats.Range) ([]stats.Sample, []stats.Marker, error) {
	return nil, nil, f()
}

func (f failing) Processes(context.Context) ([]stats.Process, error) { return nil, f() }

func (f failing) Now(context.Context) (t time.Time, err error) { return t, f() }

func (f failing) Programs(context.Context) ([]ledger.Program, error) { return nil, f() }

func (f failing) OpenAttempts(context.Context, int) ([]ledger.OpenAttempt, error) { return nil, f() }

func (f failing) Verdict(stats.Facts) (v stats.Verdict) { return v }

// noIntake fails the test when an order reaches the intake.
func noIntake(t *testing.T) failing {
	t.Helper()
	return func() error {
		t.Error("an order reached the intake")
		return order.ErrUnavailable
	}
}

// TestInternalErrors keeps what went wrong from the client, and logs it: once for a batch,
// however many of its orders failed.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error":               func() error { return errors.New("secret dsn") },
		"panic":               func() error { panic("secret dsn") },
		"panic with an error": func() error { panic(fmt.Errorf("secret dsn: %w", order.ErrNotFound)) },
		"nil pointer": func() error {
			var o *order.Order
			return errors.New("secret dsn" + o.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := failing(fail)
			s := serve(t, parts{Parts: api.Parts{Intake: f, Retries: f, Reviews: f, Rules: f, RuleSets: f, Records: f, Queues: f, Audit: f, Jobs: f, Stats: f, Samples: f, Processes: f, Attempts: f}})
			for _, r := range requests() {
				var message, id string
				if r.operation == "POST /orders/batch" {
					a := s.ask(t, "POST", r.path, lines("o", 3)+"x\n", "Content-Type", ndjson)
					checkNothingInternal(t, a)
					all := a.verdicts(t, ndjson)
					if diff := cmp.Diff([]string{"1 500", "2 500", "3 500", "4 400"}, brief(all)); diff != "" || all[0].Problem.Type != typeBlank {
						t.Errorf("problem is %+v: %s", all[0].Problem, diff)
					}
					message, id = "orders of a batch failed", a.header.Get("X-Request-Id")
				} else {
					a := s.ask(t, r.method(), r.path, r.body)
					checkNothingInternal(t, a)
					p := a.problem(t, 500)
					if p.Type != typeBlank || p.Errors != nil {
						t.Errorf("%s: %s", r.operation, a.body)
					}
					message, id = "request failed", p.RequestID
				}
				line := fmt.Sprintf(`"level":"ERROR","msg":%q,"error":"secret dsn","request_id":%q`, message, id)
				if name == "error" && strings.Count(s.log.String(), line) != 1 {
					t.Errorf("%s: the log is %s", r.operation, s.log)
				}
			}
		})
	}
}

// TestKnownErrors maps each error that the service knows to its problem.
func TestKnownErrors(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  error
		code int
		typ  string
	}{
		{order.ErrConflict, 409, typeConflict},
		{&order.ForgottenError{AcceptedAt: time.Now()}, 409, typeForgotten},
		{order.ErrNotFound, 404, typeBlank},
		{&order.BusyError{RetryAfter: time.Second}, 503, typeNoRoom},
		{&order.UncertainError{ID: "x", Err: order.ErrUnavailable}, 503, typeUnavailable},
		{order.ErrUnavailable, 503, typeUnavailable},
		{fiber.ErrRequestTimeout, 408, typeBlank},
		{order.ErrSettled, 500, typeBlank},
		{context.DeadlineExceeded, 500, typeBlank},
	} {
		s := serve(t, withIntake(failing(func() error { return fmt.Errorf("accept order x: secret: %w", row.err) })))
		a := s.ask(t, "POST", "/orders", body())
		if p := a.problem(t, row.code); p.Type != row.typ {
			t.Errorf("%v: type is %q; want %q", row.err, p.Type, row.typ)
		}
		checkNothingInternal(t, a)
	}
}

// TestWriteFaults breaks the write of an order that is submitted, and of one of several that
// are retried, in both ways a network can. The client repeats the request with what the
// answer contains, and each order is accepted or retried once.
func TestWriteFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		applied := fault == redistest.ReplyLost
		t.Run("submit, "+fault.String(), func(t *testing.T) {
			b := open(t)
			breaker := &redistest.Breaker{}
			b.rdb.AddHook(breaker)
			breaker.Break(fault, redistest.Script(ledgertest.Book))
			p := b.ask(t, "POST", "/orders", body("id", "")).problem(t, 503)
			if p.Type != typeUnavailable || !order.ValidID(p.OrderID) || breaker.Fired() != 1 {
				t.Fatalf("problem is %+v, %d commands were broken", p, breaker.Fired())
			}
			if again := b.ask(t, "POST", "/orders", withID(p.OrderID)); (again.code == 200) != applied {
				t.Errorf("repeated, it is answered %d %s", again.code, again.body)
			}
			if n := b.accepted(t); n != "1" {
				t.Errorf("%s orders were accepted", n)
			}
			b.checkTasks(t, "pending", 1)
		})
		t.Run("retry, "+fault.String(), func(t *testing.T) {
			b := open(t)
			breaker := &redistest.Breaker{}
			b.rdb.AddHook(breaker)
			for n := range 3 {
				b.reach(t, fmt.Sprint("o", n), order.StatusFailed)
			}
			breaker.Break(fault, redistest.Script(ledgertest.RecordKey("o1")))
			first := b.retry(t, `{"status":"failed"}`)
			if first.Count != 1 || first.Retried != 1 || first.NextCursor == "" || breaker.Fired() != 1 {
				t.Fatalf("report is %+v, %d commands were broken", first, breaker.Fired())
			}
			rest := 2
			if applied {
				rest = 1
			}
			second := b.retry(t, fmt.Sprintf(`{"status":"failed","cursor":%q}`, first.NextCursor))
			if diff := cmp.Diff(report{Count: rest, Retried: rest}, second); diff != "" {
				t.Error(diff)
			}
			if n := b.rdb.HGet(t.Context(), ledgertest.CountersKey, "retried").Val(); n != "3" {
				t.Errorf("%s retries are counted", n)
			}
			if got := b.list(t, "/orders?status=pending").ids; len(got) != 3 {
				t.Errorf("orders %v are pending", got)
			}
		})
	}
}
