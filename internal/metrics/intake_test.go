package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/metrics"
	"orderprocessor/internal/order"
)

var _ api.Intake = (*metrics.Intake)(nil)

// taker answers every submission alike, and knows one order to cancel.
type taker struct {
	isNew bool
	err   error
}

func (f *taker) Submit(_ context.Context, o order.Order) (order.Record, bool, error) {
	return order.Record{Order: o}, f.isNew, f.err
}

func (f *taker) SubmitAll(_ context.Context, orders []order.Order) []order.Acceptance {
	all := make([]order.Acceptance, len(orders))
	for i, o := range orders {
		all[i] = order.Acceptance{Record: order.Record{Order: o}, IsNew: f.isNew, Err: f.err}
	}
	return all
}

func (f *taker) Cancel(_ context.Context, id, reason string) (order.Record, error) {
	return order.Record{Order: order.Order{ID: id}, CancelReason: reason}, f.err
}

// TestSubmissions holds where each result is counted, and that it is handed on.
func TestSubmissions(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name    string
		taker   taker
		result  string
		refusal string
	}{
		{"new", taker{isNew: true}, "accepted", ""},
		{"known", taker{}, "repeated", ""},
		{"other content", taker{err: fmt.Errorf("accept: %w", order.ErrConflict)}, "conflict", ""},
		{"Redis away", taker{err: fmt.Errorf("accept: %w", order.ErrUnavailable)}, "unavailable", ""},
		{"uncertain", taker{err: &order.UncertainError{ID: "made", Err: order.ErrUnavailable}}, "unavailable", ""},
		{"a defect", taker{err: errors.New("surprise")}, "error", ""},
		{"no room", taker{err: fmt.Errorf("take: %w", &order.BusyError{Reason: order.BusyQueues})}, "no_room", "queue_full"},
		{"hostile reason", taker{err: &order.BusyError{Reason: "\"} 1\n# HELP"}}, "no_room", "other"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := metrics.New("commit 1")
			in := r.NewIntake(&row.taker, rulesStub{})
			o := order.Order{ID: "ord_1", Content: order.Content{Customer: "low"}}
			rec, isNew, err := in.Submit(t.Context(), o)
			if rec.ID != o.ID || isNew != row.taker.isNew || !errors.Is(err, row.taker.err) {
				t.Errorf("Take hands on %v, %v, %v", rec, isNew, err)
			}
			want := row.taker.SubmitAll(t.Context(), []order.Order{o, o})
			if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(in.SubmitAll(t.Context(), []order.Order{o, o}))); diff != "" {
				t.Errorf("TakeAll hands on (-want +got):\n%s", diff)
			}
			series := map[string]float64{
				fmt.Sprintf("orders_submissions_total{kind=%q,result=%q}", "single", row.result): 1,
				fmt.Sprintf("orders_submissions_total{kind=%q,result=%q}", "batch", row.result):  2,
			}
			if row.refusal != "" {
				series[fmt.Sprintf("orders_refusals_total{queue=%q,reason=%q}", "low", row.refusal)] = 3
			}
			compare(t, series, nonzero(merge(scrape(t, r, "orders_submissions"), scrape(t, r, "orders_refusals"))))
			compare(t, map[string]float64{"orders_submission_duration_seconds_count": 1}, scrape(t, r, "orders_submission_duration_seconds_count"))
		})
	}
}

func merge(all ...map[string]float64) map[string]float64 {
	merged := map[string]float64{}
	for _, series := range all {
		for name, n := range series {
			merged[name] = n
		}
	}
	return merged
}

func TestCancelIsHandedOn(t *testing.T) {
	t.Parallel()
	rec, err := metrics.New("commit 1").NewIntake(&taker{}, rulesStub{}).Cancel(t.Context(), "ord_1", "why")
	if rec.ID != "ord_1" || rec.CancelReason != "why" || err != nil {
		t.Errorf("Cancel hands on %v, %v", rec, err)
	}
}

// TestUnknownQueue holds that a queue which is none of ours makes no series.
func TestUnknownQueue(t *testing.T) {
	t.Parallel()
	r := metrics.New("commit 1")
	in := r.NewIntake(&taker{err: &order.BusyError{}}, rulesStub{})
	known := len(scrape(t, r, "orders_"))
	for i := range 1000 {
		_, _, _ = in.Submit(t.Context(), order.Order{Content: order.Content{Customer: fmt.Sprintf("queue %d", i)}})
	}
	if got := len(scrape(t, r, "orders_")); got != known {
		t.Errorf("%d series became %d", known, got)
	}
}

// load is a Redis and a backlog as full as they say.
type load struct{ waiting, used, limit int64 }

func (l load) Backlog(context.Context) (int64, error)                { return l.waiting, nil }
func (l load) Settled(context.Context) (int64, error)                { return 0, nil }
func (l load) Memory(context.Context) (used, limit int64, err error) { return l.used, l.limit, nil }

// TestReasons holds the reasons to the words of the gate, which are written for
// people.
func TestReasons(t *testing.T) {
	t.Parallel()
	for reason, full := range map[string]load{"queue_full": {waiting: 10}, "memory": {used: 99, limit: 100}} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			gate := intake.NewAdmission(full, full, 10)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = gate.Run(ctx) // it reads once
			r := metrics.New("commit 1")
			in := r.NewIntake(&taker{err: gate.Admit(order.QueueLow, 1)}, rulesStub{})
			_, _, _ = in.Submit(t.Context(), order.Order{Content: order.Content{Customer: "low"}})
			compare(t, map[string]float64{fmt.Sprintf("orders_refusals_total{queue=\"low\",reason=%q}", reason): 1},
				nonzero(scrape(t, r, "orders_refusals")))
		})
	}
}

// TestTakingAllocatesNothing holds that counting costs the hot path no memory.
func TestTakingAllocatesNothing(t *testing.T) {
	in := metrics.New("commit 1").NewIntake(&taker{isNew: true}, rulesStub{})
	o := order.Order{ID: "ord_1"}
	if n := testing.AllocsPerRun(1000, func() { _, _, _ = in.Submit(context.Background(), o) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
