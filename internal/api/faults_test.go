package api_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/api"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/stats"
)

// faulty fails in the same way whatever it is asked.
type faulty struct {
	fail func() error
}

func (f faulty) Submit(context.Context, order.Order) (order.Record, bool, error) {
	return order.Record{}, false, f.fail()
}

func (f faulty) SubmitAll(_ context.Context, orders []order.Order) []order.Acceptance {
	all := make([]order.Acceptance, len(orders))
	for i := range all {
		all[i].Err = f.fail()
	}
	return all
}

func (f faulty) Cancel(context.Context, string, string) (order.Record, error) {
	return order.Record{}, f.fail()
}

func (f faulty) Retry(context.Context, string) (order.Record, error) { return order.Record{}, f.fail() }

func (f faulty) RetryAll(
	context.Context, intake.RetryFilter, order.Position, int, bool,
) (intake.RetryReport, error) {
	return intake.RetryReport{}, f.fail()
}

func (f faulty) Get(context.Context, string) (order.Record, error) { return order.Record{}, f.fail() }

func (f faulty) List(
	context.Context, order.Filter, order.Position, int,
) ([]order.Record, order.Position, error) {
	return nil, order.Position{}, f.fail()
}

func (f faulty) Events(context.Context, string) ([]order.Event, error) { return nil, f.fail() }

func (f faulty) Depths(context.Context) (map[order.Queue]stats.Depth, error) { return nil, f.fail() }

func (f faulty) Pause(context.Context, order.Queue) error { return f.fail() }

func (f faulty) Resume(context.Context, order.Queue) error { return f.fail() }

func (f faulty) CorruptTasks(context.Context, order.Queue, int) ([]recovery.CorruptTask, error) {
	return nil, f.fail()
}

func (f faulty) Snapshot(context.Context) (stats.Snapshot, error) { return stats.Snapshot{}, f.fail() }

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
	asks := []struct{ name, method, path, body string }{
		{"submit", "POST", "/orders", body()},
		{"get", "GET", "/orders/ord_1", ""},
		{"list", "GET", "/orders", ""},
		{"events", "GET", "/orders/ord_1/events", ""},
		{"cancel", "POST", "/orders/ord_1/cancel", ""},
		{"retry", "POST", "/orders/ord_1/retry", ""},
		{"retry many", "POST", "/orders/retry", `{"status":"failed"}`},
		{"queues", "GET", "/queues", ""},
		{"corrupt", "GET", "/queues/low/corrupt", ""},
		{"pause", "POST", "/queues/low/pause", ""},
		{"resume", "POST", "/queues/low/resume", ""},
		{"stats", "GET", "/stats", ""},
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			f := faulty{fault.fail}
			s := serve(t, parts{Parts: api.Parts{Intake: f, Retries: f, Records: f, Queues: f, Stats: f}})
			for _, ask := range asks {
				a := s.ask(t, ask.method, ask.path, ask.body)
				p := a.problem(t, 500)
				wantNothingInternal(t, a)
				if p.Type != "about:blank" || p.Errors != nil {
					t.Errorf("%s: %s", ask.name, a.body)
				}
				line := fmt.Sprintf(`"level":"ERROR","msg":"request failed","error":"secret dsn","request_id":%q`, p.RequestID)
				if fault.name == "error" && !strings.Contains(s.log.String(), line) {
					t.Errorf("%s: the log says %s", ask.name, s.log)
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
		{"conflict", order.ErrConflict, 409, "tag:orderprocessor,2026:order-id-conflict"},
		{"not found", order.ErrNotFound, 404, "about:blank"},
		{"busy", &order.BusyError{RetryAfter: time.Second}, 503, "tag:orderprocessor,2026:no-room"},
		{
			"uncertain", &order.UncertainError{ID: "x", Err: order.ErrUnavailable}, 503,
			"tag:orderprocessor,2026:redis-unavailable",
		},
		{"unavailable", order.ErrUnavailable, 503, "tag:orderprocessor,2026:redis-unavailable"},
		{"settled", order.ErrSettled, 500, "about:blank"},
		{"deadline", context.DeadlineExceeded, 500, "about:blank"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := faulty{func() error { return fmt.Errorf("take order x: secret: %w", row.err) }}
			s := serve(t, taking(f))
			a := s.ask(t, "POST", "/orders", body())
			p := a.problem(t, row.code)
			if p.Type != row.typ {
				t.Errorf("type is %q; want %q", p.Type, row.typ)
			}
			wantNothingInternal(t, a)
		})
	}
}
