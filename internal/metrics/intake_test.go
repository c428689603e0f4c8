package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/metrics"
	"orderprocessor/internal/order"
)

var _ api.Intake = (*metrics.Intake)(nil)

// submitter answers every call alike.
type submitter struct {
	isNew bool
	err   error
}

func (s *submitter) Submit(_ context.Context, o order.Order) (order.Record, bool, error) {
	return order.Record{Order: o}, s.isNew, s.err
}

func (s *submitter) SubmitAll(_ context.Context, orders []order.Order) []order.Acceptance {
	all := make([]order.Acceptance, len(orders))
	for i, o := range orders {
		all[i] = order.Acceptance{Record: order.Record{Order: o}, IsNew: s.isNew, Err: s.err}
	}
	return all
}

func (s *submitter) Cancel(_ context.Context, id string, by order.Intervention) (order.Record, error) {
	return order.Record{Order: order.Order{ID: id}, CancelReason: by.Reason}, s.err
}

// TestSubmissions checks where each result is counted, and that all answers are passed on.
func TestSubmissions(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name      string
		submitter submitter
		result    string
		refusal   string
	}{
		{"new", submitter{isNew: true}, "accepted", ""},
		{"known", submitter{}, "repeated", ""},
		{"other content", submitter{err: fmt.Errorf("accept: %w", order.ErrConflict)}, "conflict", ""},
		{"Redis away", submitter{err: fmt.Errorf("accept: %w", order.ErrUnavailable)}, "unavailable", ""},
		{"uncertain", submitter{err: &order.UncertainError{ID: "made", Err: order.ErrUnavailable}}, "unavailable", ""},
		{"a defect", submitter{err: errors.New("surprise")}, "error", ""},
		{"no room", submitter{err: fmt.Errorf("submit: %w", &order.BusyError{Queue: order.QueueLow, Reason: order.BusyQueues})}, "no_room", "queue_full"},
		{"hostile reason", submitter{err: &order.BusyError{Queue: order.QueueLow, Reason: "\"} 1\n# HELP"}}, "no_room", "other"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := metrics.New("commit 1")
			in := r.NewIntake(&row.submitter)
			o := order.Order{ID: "ord_1", Content: order.Content{Customer: "low"}}
			rec, isNew, err := in.Submit(t.Context(), o)
			if rec.ID != o.ID || isNew != row.submitter.isNew || !errors.Is(err, row.submitter.err) {
				t.Errorf("Submit returned %v, %v, %v", rec, isNew, err)
			}
			want := row.submitter.SubmitAll(t.Context(), []order.Order{o, o})
			if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(in.SubmitAll(t.Context(), []order.Order{o, o}))); diff != "" {
				t.Errorf("SubmitAll returned (-want +got):\n%s", diff)
			}
			if rec, err := in.Cancel(t.Context(), "ord_1", order.Intervention{Actor: "ops", Reason: "why"}); rec.ID != "ord_1" || rec.CancelReason != "why" || !errors.Is(err, row.submitter.err) {
				t.Errorf("Cancel returned %v, %v", rec, err)
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
		maps.Copy(merged, series)
	}
	return merged
}

// TestUnknownQueue checks that an unknown queue makes no series.
func TestUnknownQueue(t *testing.T) {
	t.Parallel()
	r := metrics.New("commit 1")
	in := r.NewIntake(&submitter{err: &order.BusyError{Queue: "made up"}})
	known := len(scrape(t, r, "orders_"))
	_, _, _ = in.Submit(t.Context(), order.Order{})
	if got := len(scrape(t, r, "orders_")); got != known {
		t.Errorf("%d series became %d", known, got)
	}
}

// load is how full Redis and the queues are.
type load struct{ waiting, used, limit int64 }

func (l load) Backlog(context.Context) (int64, error)                { return l.waiting, nil }
func (l load) Settled(context.Context) (int64, error)                { return 0, nil }
func (l load) Memory(context.Context) (used, limit int64, err error) { return l.used, l.limit, nil }

// TestReasons checks that each reason of admission, a text for people, has its label.
func TestReasons(t *testing.T) {
	t.Parallel()
	for reason, full := range map[string]load{"queue_full": {waiting: 10}, "memory": {used: 99, limit: 100}} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			admission := intake.NewAdmission(full, full, 10)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = admission.Run(ctx) // it reads once
			r := metrics.New("commit 1")
			in := r.NewIntake(&submitter{err: admission.Admit(order.QueueLow, 1)})
			_, _, _ = in.Submit(t.Context(), order.Order{Content: order.Content{Customer: "low"}})
			compare(t, map[string]float64{fmt.Sprintf("orders_refusals_total{queue=\"low\",reason=%q}", reason): 1},
				nonzero(scrape(t, r, "orders_refusals")))
		})
	}
}
