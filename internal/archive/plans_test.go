package archive_test

import (
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// TestPlans holds that searches use the index that Search tells, and no sorting of
// orders but of those that share a microsecond.
func TestPlans(t *testing.T) {
	t.Parallel()
	after := order.Position{CreatedAt: day.Add(time.Second), ID: "o"}
	few := func(f order.Further) order.Filter { return order.Filter{Further: f} }
	rows := []struct {
		name   string
		filter order.Filter
		index  string
		sorts  bool
	}{
		{"nothing", order.Filter{}, "orders_by_created", false},
		{"created", order.Filter{CreatedFrom: day, CreatedTo: day.Add(time.Hour)}, "orders_by_created", false},
		{"status", order.Filter{Status: order.StatusFailed}, "orders_by_status", false},
		{"customer", order.Filter{Customer: "customer 7"}, "orders_by_customer", false},
		{"customer before status", order.Filter{Customer: "customer 7", Status: order.StatusFailed, CreatedFrom: day}, "orders_by_customer", false},
		{"id_prefix", few(order.Further{IDPrefix: "o01a"}), "orders_by_id", true},
		{"metadata", few(order.Further{Metadata: map[string]string{"basket": "77"}}), "labels_by_value", false},
		{"tag", few(order.Further{Tag: "vip"}), "labels_by_value", false},
		{"tag and status", order.Filter{Status: order.StatusFailed, Further: order.Further{Tag: "vip"}}, "labels_by_value", false},
		{"country", few(order.Further{Country: "IS"}), "orders_by_country", false},
		{"currency", few(order.Further{Currency: "JPY"}), "orders_by_currency", false},
		{"error_contains", few(order.Further{ErrorContains: "503"}), "orders_by_error", false},
		{"settled", few(order.Further{SettledFrom: day.Add(time.Second), SettledTo: day.Add(2 * time.Second)}), "orders_by_settled", true},
		{"queue", few(order.Further{Queue: order.QueueLow, Handling: order.HandlingStandard}), "orders_by_created", false},
	}
	onBoth(t, func(t *testing.T, b *bundle) {
		made := generator{at: day}
		for made.n < 3000 {
			b.put(t, made.next(1000)...)
		}
		if err := b.Exec(t.Context(), "ANALYZE"); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			plan, err := b.Plan(t.Context(), row.filter, after)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case !b.sqlite && strings.Contains(plan, "Seq Scan"):
				t.Errorf("%s: PostgreSQL reads the whole table:\n%s", row.name, plan)
			case b.sqlite && (!strings.Contains(plan, "USING INDEX "+row.index) && !strings.Contains(plan, "USING COVERING INDEX "+row.index)):
				t.Errorf("%s: SQLite does not use %s:\n%s", row.name, row.index, plan)
			case b.sqlite && strings.Contains(plan, "LAST TERM OF ORDER BY") == row.sorts:
				t.Errorf("%s: sorts all: %t, want %t\n%s", row.name, !row.sorts, row.sorts, plan)
			}
		}
	})
}
