package api_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/api"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/stats"
)

// faulty fails in the same way whatever it is asked.
type faulty func() error

func (f faulty) Submit(context.Context, order.Order) (rec order.Record, isNew bool, err error) {
	return rec, false, f()
}

func (f faulty) SubmitAll(_ context.Context, orders []order.Order) []order.Acceptance {
	all := make([]order.Acceptance, len(orders))
	for i := range all {
		all[i].Err = f()
	}
	return all
}

func (f faulty) Cancel(context.Context, string, string) (rec order.Record, err error) {
	return rec, f()
}

func (f faulty) Retry(context.Context, string) (rec order.Record, err error) { return rec, f() }

func (f faulty) RetryAll(context.Context, intake.RetryFilter, order.Position, int, bool) (r intake.RetryReport, err error) {
	return r, f()
}

func (f faulty) Get(context.Context, string) (rec order.Record, err error) { return rec, f() }

func (f faulty) List(context.Context, order.Filter, order.Position, int) (all []order.Record, next order.Position, err error) {
	return nil, next, f()
}

func (f faulty) Events(context.Context, string) ([]order.Event, error) { return nil, f() }

func (f faulty) Depths(context.Context) (map[order.Queue]stats.Depth, error) { return nil, f() }

func (f faulty) Pause(context.Context, order.Queue) error { return f() }

func (f faulty) Resume(context.Context, order.Queue) error { return f() }

func (f faulty) CorruptTasks(context.Context, order.Queue, int) ([]recovery.CorruptTask, error) {
	return nil, f()
}

func (f faulty) Snapshot(context.Context) (snap stats.Snapshot, err error) { return snap, f() }

// TestInternalErrorsStayInside keeps what went wrong from the client, and logs it.
func TestInternalErrorsStayInside(t *testing.T) {
	t.Parallel()
	faults := []struct {
		name string
		fail func() error
	}{
		{"error", func() error { return errors.New("secret dsn") }},
		{"panic", func() error { panic("secret dsn") }},
		{"panic with an error", func() error { panic(fmt.Errorf("secret dsn: %w", order.ErrNotFound)) }},
		{"nil pointer", func() error {
			var o *order.Order
			return errors.New("secret dsn" + o.ID)
		}},
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			f := faulty(fault.fail)
			s := serve(t, parts{Parts: api.Parts{Intake: f, Retries: f, Records: f, Queues: f, Stats: f}})
			for _, r := range requests() {
				if r.operation == "POST /orders/batch" {
					continue // see TestBatchFaults
				}
				a := s.ask(t, r.method(), r.path, r.body)
				p := a.problem(t, 500)
				wantNothingInternal(t, a)
				if p.Type != "about:blank" || p.Errors != nil {
					t.Errorf("%s: %s", r.operation, a.body)
				}
				line := fmt.Sprintf(`"level":"ERROR","msg":"request failed","error":"secret dsn","request_id":%q`, p.RequestID)
				if fault.name == "error" && !strings.Contains(s.log.String(), line) {
					t.Errorf("%s: the log says %s", r.operation, s.log)
				}
			}
		})
	}
}

func wantNothingInternal(t *testing.T, a answer) {
	t.Helper()
	for _, inside := range []string{"secret", "dsn", "goroutine", ".go:", "panic", "runtime", "nil pointer"} {
		if strings.Contains(string(a.body), inside) {
			t.Errorf("the answer shows %q: %s", inside, a.body)
		}
	}
}

// TestKnownConditions maps each error that the service knows to its problem.
func TestKnownConditions(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		err  error
		code int
		typ  string
	}{
		{"conflict", order.ErrConflict, 409, typeConflict},
		{"not found", order.ErrNotFound, 404, "about:blank"},
		{"busy", &order.BusyError{RetryAfter: time.Second}, 503, typeNoRoom},
		{"uncertain", &order.UncertainError{ID: "x", Err: order.ErrUnavailable}, 503, typeUnavailable},
		{"unavailable", order.ErrUnavailable, 503, typeUnavailable},
		{"slow request", fiber.ErrRequestTimeout, 408, "about:blank"},
		{"settled", order.ErrSettled, 500, "about:blank"},
		{"deadline", context.DeadlineExceeded, 500, "about:blank"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, taking(faulty(func() error { return fmt.Errorf("accept order x: secret: %w", row.err) })))
			a := s.ask(t, "POST", "/orders", body())
			p := a.problem(t, row.code)
			if p.Type != row.typ {
				t.Errorf("type is %q; want %q", p.Type, row.typ)
			}
			wantNothingInternal(t, a)
		})
	}
}
