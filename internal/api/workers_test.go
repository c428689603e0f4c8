package api_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/stats"
)

// processes are worker processes that a test makes.
type processes func() []stats.Process

func (p processes) Processes(context.Context) ([]stats.Process, error) { return p(), nil }

// TestWorkers lists the processes by their names, with what they work.
func TestWorkers(t *testing.T) {
	var now time.Time
	started := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	b := open(t, func(p *parts) {
		p.Processes = processes(func() []stats.Process {
			return []stats.Process{
				{Host: "web", PID: 12, StartedAt: started, SeenAt: now.Add(-7 * time.Hour), Slots: 4},
				{Host: "a-host", PID: 1, StartedAt: started, SeenAt: now.Add(time.Minute), Slots: 0}, // its clock is ahead
				{Host: "web", PID: 1, StartedAt: started, SeenAt: now, Slots: 2},
			}
		})
	})
	var err error
	now, err = b.ledger.Now(t.Context())
	must(t, err)
	for n, p := range []ledger.Program{
		{Kind: "worker", Name: "web-1-OLD", Version: "v0"},
		{Kind: "worker", Name: "web-1-NEW", Version: "v1"},
		{Kind: "worker", Name: "a-host-1-A", Version: "v2 (dirty)"},
		{Kind: "api", Name: "web-12-API", Version: "v3"},
		{Kind: "worker", Name: "web-1-x-1-B", Version: "v4"},
	} {
		must(t, b.ledger.Announce(t.Context(), p, now.Add(time.Duration(n)*time.Millisecond)))
	}
	for n, handling := range []order.Handling{order.HandlingStandard, order.HandlingPriority, order.HandlingExpedited} {
		b.beginAt(t, fmt.Sprint("ord_", n), "web-1-NEW", handling)
	}
	b.beginAt(t, "ord_of_old", "web-1-OLD", order.HandlingStandard)
	b.beginAt(t, "ord_again", "a-host-1-A", order.HandlingStandard)
	b.beginAt(t, "ord_again", "a-host-1-A", order.HandlingStandard)
	b.beginAt(t, "ord_done", "a-host-1-A", order.HandlingStandard)
	must(t, b.ledger.Fail(t.Context(), order.Claim{ID: "ord_done", Token: "a-host-1-A1"}, order.Failure{Error: "busy", RetryIn: time.Hour}))

	worker := func(id, host, version string, age, slots float64, orders ...any) map[string]any {
		return map[string]any{
			"id": id, "host": host, "version": version, "started_at": "2026-07-01T12:00:00.000000Z", "heartbeat_age_seconds": age, "slots": slots,
			"busy": float64(len(orders)), "orders": append([]any{}, orders...),
		}
	}
	worked := func(id string, attempt float64) any { return map[string]any{"id": id, "attempt": attempt} }
	want := map[string]any{"workers": []any{
		worker("a-host-1-A", "a-host", "v2 (dirty)", 0, 0, worked("ord_again", 2)),
		worker("web-1-NEW", "web", "v1", 0, 2, worked("ord_0", 1), worked("ord_1", 1), worked("ord_2", 1)),
		worker("web-12", "web", "", 7*3600, 4),
	}}
	got := b.ask(t, "GET", "/workers", "").object(t, 200)
	running := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == `["running_seconds"]` }, cmp.Ignore())
	hours := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == `["heartbeat_age_seconds"]` },
		cmp.Transformer("hours", func(age any) float64 { return math.Floor(age.(float64) / 3600) }))
	if diff := cmp.Diff(want, got, running, hours); diff != "" {
		t.Error(diff)
	}
}

// beginAt opens the next attempt of a worker at an order.
func (b *bundle) beginAt(t *testing.T, id, worker string, h order.Handling) {
	t.Helper()
	_, _, err := ledgertest.Accept(t.Context(), b.ledger, ordertest.Order(t, ordertest.WithID(id)), order.QueueDefault)
	must(t, err)
	rec, err := b.ledger.Get(t.Context(), id)
	must(t, err)
	_, err = b.ledger.Begin(t.Context(), order.Claim{
		ID: id, Token: fmt.Sprint(worker, len(rec.Attempts)+1), Worker: worker, Handling: h, MaxAttempts: 10,
	})
	must(t, err)
}
