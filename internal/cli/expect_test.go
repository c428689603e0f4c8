package cli

import (
	"encoding/json"
	"testing"

	"orderprocessor/internal/order"
)

var documented = limits{highValueAbove: 1000_00, maxAmount: 10_000_00, maxItems: 50}

func TestDiffers(t *testing.T) {
	t.Parallel()
	o := sampleOrder{ID: "a", Amount: 1000_01, Items: []string{"lamp"}}
	right := orderView{
		Status: "completed", Handling: "priority", Result: "Order marked for priority processing",
		Queue: "critical", Priority: 2, Amount: "1000.01", Items: o.Items,
	}
	if got := documented.differs(o, right); got != "" {
		t.Fatalf("differs: %s", got)
	}
	for name, change := range map[string]func(*orderView){
		"status":   func(v *orderView) { v.Status = order.StatusRejected },
		"error":    func(v *orderView) { v.Error = "no" },
		"handling": func(v *orderView) { v.Handling = order.HandlingStandard },
		"result":   func(v *orderView) { v.Result = "" },
		"queue":    func(v *orderView) { v.Queue = order.QueueLow },
		"priority": func(v *orderView) { v.Priority = 3 },
		"amount":   func(v *orderView) { v.Amount = "1000.02" },
		"items":    func(v *orderView) { v.Items = nil },
	} {
		wrong := right
		if change(&wrong); documented.differs(o, wrong) == "" {
			t.Errorf("a wrong %s goes unnoticed", name)
		}
	}
}

func TestSampleIsVariedAndRepeatable(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	for i := range 100 {
		o := newSample("run", i, documented)
		again, _ := json.Marshal(newSample("run", i, documented))
		first, _ := json.Marshal(o)
		if string(first) != string(again) {
			t.Fatalf("order %d is not the same twice: %s and %s", i, first, again)
		}
		kinds[documented.expect(o).String()]++
		kinds[string(documented.queueOf(o))]++
		switch {
		case o.Amount == documented.maxAmount && len(o.Items) == documented.maxItems:
			kinds["on both bounds"]++
		case o.Amount == documented.highValueAbove:
			kinds["just not of high value"]++
		}
	}
	for _, k := range []string{
		"completed, standard handling", "completed, expedited handling", "completed, priority handling",
		"rejected: order amount exceeds limit", "rejected: too many items in order",
		"critical", "default", "low", "on both bounds", "just not of high value",
	} {
		if kinds[k] < 10 {
			t.Errorf("%d of 100 orders are of the kind %q", kinds[k], k)
		}
	}
}

func TestReportFindsDrift(t *testing.T) {
	t.Parallel()
	var stats statsView
	if stats.Ledger.Drift = 1; (&sample{}).verdict(stats) == nil {
		t.Error("books that do not balance go unnoticed")
	}
}
