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

// double answers every question in the same way: with a failure, or with one record, its
// event and a corrupt task, all of one time.
type double struct {
	fail func() error // nil for none
	rec  order.Record
	at   time.Time
}

func (d double) err() error {
	if d.fail == nil {
		return nil
	}
	return d.fail()
}

func (d double) Submit(context.Context, order.Order) (order.Record, bool, error) {
	return d.rec, true, d.err()
}

func (d double) SubmitAll(_ context.Context, orders []order.Order) []order.Acceptance {
	all := make([]order.Acceptance, len(orders))
	for i := range all {
		all[i].Err = d.err()
	}
	return all
}

func (d double) Cancel(context.Context, string, string) (order.Record, error) { return d.rec, d.err() }

func (d double) Retry(context.Context, string) (order.Record, error) { return d.rec, d.err() }

func (d double) RetryAll(context.Context, intake.RetryFilter, order.Position, int, bool) (intake.RetryReport, error) {
	return intake.RetryReport{}, d.err()
}

func (d double) Get(context.Context, string) (order.Record, error) { return d.rec, d.err() }

func (d double) List(context.Context, order.Filter, order.Position, int) ([]order.Record, order.Position, error) {
	return []order.Record{d.rec}, order.Position{}, d.err()
}

func (d double) Events(context.Context, string) ([]order.Event, error) {
	return []order.Event{{ID: "1764000000000-0", OrderID: d.rec.ID, Sequence: 1, Status: d.rec.Status, At: d.at}}, d.err()
}

func (d double) Depths(context.Context) (map[order.Queue]stats.Depth, error) { return nil, d.err() }

func (d double) Pause(context.Context, order.Queue) error { return d.err() }

func (d double) Resume(context.Context, order.Queue) error { return d.err() }

func (d double) CorruptTasks(context.Context, order.Queue, int) ([]recovery.CorruptTask, error) {
	return []recovery.CorruptTask{{ID: d.rec.ID, SetAsideAt: d.at, Message: []byte("x")}}, d.err()
}

func (d double) Snapshot(context.Context) (stats.Snapshot, error) { return stats.Snapshot{}, d.err() }

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
			f := double{fail: fault.fail}
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
			s := serve(t, taking(double{fail: func() error { return fmt.Errorf("accept order x: secret: %w", row.err) }}))
			a := s.ask(t, "POST", "/orders", body())
			p := a.problem(t, row.code)
			if p.Type != row.typ {
				t.Errorf("type is %q; want %q", p.Type, row.typ)
			}
			wantNothingInternal(t, a)
		})
	}
}
