package archive_test

import (
	"fmt"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

func TestFailures(t *testing.T) {
	t.Parallel()
	const away = "fulfilment answered 503 Service Unavailable"
	settled := func(n int) time.Time { return day.Add(time.Duration(n)*time.Minute + time.Second) }
	in := func(n int, q order.Queue) func(*order.Record) {
		return func(rec *order.Record) {
			acceptedAt(day.Add(time.Duration(n) * time.Minute))(rec)
			rec.Queue, rec.Attempts[0].Note = q, fmt.Sprintf("note %d", n)
		}
	}
	retried := failed("o9", away, in(9, order.QueueLow), unsettled)
	retried.Sequence = 4
	histories := []order.History{
		completed("ok"), failed("o9", away, in(9, order.QueueLow)), retried,
		completed("refused", func(rec *order.Record) { rec.Status, rec.Error = order.StatusRejected, "too many items in order" }),
		failed("sku", "sku A-1 is unknown", in(20, order.QueueDefault)), failed("sku2", "sku A-22 is unknown", in(2, order.QueueLow)),
		failed("alone", "worker was lost", in(1, order.QueueLow), func(rec *order.Record) { rec.Attempts = nil }),
	}
	for n := range 7 {
		histories = append(histories, failed(fmt.Sprint("away", n), away, in(n, order.QueueCritical)))
	}
	outage := order.FailureGroup{
		Fingerprint: away, Error: away, Note: "note 6", Queue: order.QueueCritical, Orders: 7,
		FirstSeen: settled(0), LastSeen: settled(6), ExampleIDs: []string{"away6", "away5", "away4", "away3", "away2"},
	}
	sku := order.FailureGroup{
		Fingerprint: "sku # is unknown", Error: "sku A-1 is unknown", Note: "note 20", Queue: order.QueueDefault, Orders: 2,
		FirstSeen: settled(2), LastSeen: settled(20), ExampleIDs: []string{"sku", "sku2"},
	}
	alone := order.FailureGroup{
		Fingerprint: "worker was lost", Error: "worker was lost", Queue: order.QueueLow, Orders: 1,
		FirstSeen: settled(1), LastSeen: settled(1), ExampleIDs: []string{"alone"},
	}
	late, lateSKU := outage, sku
	late.Orders, late.FirstSeen, late.ExampleIDs = 2, settled(5), []string{"away6", "away5"}
	lateSKU.Orders, lateSKU.FirstSeen, lateSKU.ExampleIDs = 1, settled(20), []string{"sku"}
	onBoth(t, func(t *testing.T, b *bundle) {
		b.put(t, histories...)
		for _, row := range []struct {
			name  string
			since time.Time
			limit int
			want  []order.FailureGroup
		}{
			{"all", time.Time{}, 10, []order.FailureGroup{outage, sku, alone}},
			{"the largest", time.Time{}, 1, []order.FailureGroup{outage}},
			{"since a time", settled(5), 10, []order.FailureGroup{late, lateSKU}},
			{"since later than that", settled(21), 10, nil},
		} {
			got, err := b.Failures(t.Context(), row.since, row.limit)
			if d := diff.Diff(row.want, got); d != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", row.name, err, d)
			}
		}
		plan, err := b.PlanOf(t.Context(), "SELECT fingerprint, count(*) FROM orders WHERE fingerprint <> '' AND settled_at >= 0 GROUP BY fingerprint")
		if b.sqlite && plan != "SCAN orders USING COVERING INDEX orders_by_failure" {
			t.Errorf("groups do not come from their index: %s (%v)", plan, err)
		}
	})
}
