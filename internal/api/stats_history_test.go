package api_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// samplesFunc returns samples that a test makes.
type samplesFunc func(r stats.Range) ([]stats.Sample, []stats.Marker, error)

func (f samplesFunc) Samples(_ context.Context, r stats.Range) ([]stats.Sample, []stats.Marker, error) {
	return f(r)
}

// audited is an audit of which each page has two entries.
type audited struct {
	api.Attempts
	now         time.Time
	newestFirst []order.AuditEntry
}

func (a audited) Now(context.Context) (time.Time, error) { return a.now, nil }

func (a audited) Audit(context.Context, order.AuditEntry, string) error { return nil }

func (a audited) AuditEntries(_ context.Context, _ order.AuditFilter, after string, _ int) ([]order.AuditEntry, string, error) {
	from, _ := strconv.Atoi(after)
	to := min(from+2, len(a.newestFirst))
	next := strconv.Itoa(to)
	if to == len(a.newestFirst) {
		next = ""
	}
	return a.newestFirst[from:to], next, nil
}

// TestStatsHistory shows every member of a step whose numbers all differ, and of its markers.
func TestStatsHistory(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	sample := func(at time.Time, n int64) stats.Sample {
		return stats.Sample{
			At: at, Counts: stats.Counts{Accepted: 100 + n, Completed: 200 + 2*n, Rejected: 300 + 3*n, Failed: 400 + 4*n, Cancelled: 500 + 5*n},
			Levels: stats.Levels{
				Waiting:   map[order.Queue]int64{order.QueueCritical: 6, order.QueueDefault: 7, order.QueueLow: 8},
				Scheduled: 9, Retrying: 10, Held: 11, Processing: 12,
			},
		}
	}
	day := samplesFunc(func(r stats.Range) ([]stats.Sample, []stats.Marker, error) {
		return []stats.Sample{sample(at.Add(-r.Step()), 0), sample(at, 1), sample(at.Add(2*r.Step()), 2)}, []stats.Marker{
			{At: at, Kind: stats.MarkerAlert, Text: "The shop takes no orders"},
		}, nil
	})
	type members = map[string]any
	want := members{
		"range": "24h", "step_seconds": 60.0,
		"points": []any{members{
			"at": "2026-07-01T12:00:00.000000Z", "accepted": 1.0, "completed": 2.0, "rejected": 3.0, "failed": 4.0, "cancelled": 5.0,
			"waiting": members{"critical": 6.0, "default": 7.0, "low": 8.0}, "scheduled": 9.0, "retrying": 10.0, "held": 11.0, "processing": 12.0,
		}},
		"markers": []any{
			members{"at": "2026-07-01T12:00:00.000000Z", "kind": "alert", "text": "The shop takes no orders"},
			members{"at": "2026-07-01T12:00:01.000000Z", "kind": "action", "text": "queue.resume low", "actor": "ops"},
			members{"at": "2026-07-01T12:01:01.000000Z", "kind": "action", "text": "order.retry, 3 times", "actor": "ops"},
			members{"at": "2026-07-01T12:01:02.000000Z", "kind": "action", "text": "order.retry ord_4", "actor": "bob"},
		},
	}
	entry := func(after time.Duration, actor string, action order.AuditAction, target string) order.AuditEntry {
		return order.AuditEntry{At: at.Add(after), Actor: actor, Action: action, Target: target}
	}
	const minute = time.Minute
	done := audited{now: at.Add(2 * minute), newestFirst: []order.AuditEntry{
		entry(minute+2*time.Second, "bob", order.AuditRetry, "ord_4"), entry(minute+time.Second, "ops", order.AuditRetry, "ord_3"),
		entry(minute+time.Second, "ops", order.AuditRetry, "ord_2"), entry(minute, "ops", order.AuditRetry, "ord_1"),
		entry(time.Second, "ops", order.AuditResume, "low"), entry(-25*time.Hour, "ops", order.AuditPause, "low"),
	}}
	got := serve(t, parts{Parts: api.Parts{Samples: day, Audit: done, Attempts: done}}).ask(t, "GET", "/stats/history?range=24h", "").object(t, 200)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestStatsHistoryAtFirst is without points, and of an hour unless another range is asked for.
func TestStatsHistoryAtFirst(t *testing.T) {
	b := open(t)
	want := map[string]any{"range": "1h", "step_seconds": 10.0, "points": []any{}, "markers": []any{}}
	if diff := cmp.Diff(want, b.ask(t, "GET", "/stats/history", "").object(t, 200)); diff != "" {
		t.Error(diff)
	}
	for query, problem := range map[string]string{
		"range=2h": "range invalid", "range=": "range invalid", "range=1h&range=1h": "range too_many", "step=1": "step unknown_field",
	} {
		b.checkRefused(t, "GET", "/stats/history?"+query, "", problem)
	}
}
