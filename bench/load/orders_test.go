package load_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/bench/load"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

// shop has the rules of the default configuration.
var shop = rules.Rules{HighValueAbove: 1_000_00, MaxAmount: 10_000_00, MaxItems: 50}

// read makes an order of a submission, as the API does.
func read(t *testing.T, body []byte) order.Order {
	t.Helper()
	var s struct {
		Amount, Priority                 json.Number
		Items                            []string
		Customer, Address, Notes, Status string
	}
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	o, err := order.New(order.Submission{
		Amount: s.Amount.String(), Priority: s.Priority.String(), Items: s.Items,
		Customer: s.Customer, Address: s.Address, Notes: s.Notes,
	}, time.Now())
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return o
}

// TestSize keeps submissions at about 300 bytes, whatever their number.
func TestSize(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 9, 49, 50, 999, 1_000, 99_999, 1_000_000} {
		if got := len(load.Orders{}.Append(nil, n)); got < 290 || got > 310 {
			t.Errorf("submission %d has %d bytes, want about 300", n, got)
		}
	}
}

// TestMix holds what the mixed orders are: their queues, how many the rules
// reject, and how many customers they have.
func TestMix(t *testing.T) {
	t.Parallel()
	const orders = 10_000
	queues, rejected, customers := map[order.Queue]int{}, 0, map[string]bool{}
	for n := range orders {
		o := read(t, load.Orders{Customers: 200}.Append(nil, n))
		queues[shop.Queue(o)]++
		customers[o.Customer] = true
		if !shop.Decide(o).Approved {
			rejected++
		}
	}
	want := map[order.Queue]int{
		order.QueueCritical: orders * 20 / 100, order.QueueDefault: orders * 50 / 100, order.QueueLow: orders * 30 / 100,
	}
	if diff := cmp.Diff(want, queues); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	if rejected != orders*2/100 || len(customers) != 200 {
		t.Errorf("%d are rejected and there are %d customers, want 200 each", rejected, len(customers))
	}
}

// TestOnePriority sends all orders of one priority to one queue, and has none
// rejected.
func TestOnePriority(t *testing.T) {
	t.Parallel()
	for p, want := range map[order.Priority]order.Queue{
		order.PriorityHigh: order.QueueCritical, order.PriorityMedium: order.QueueDefault, order.PriorityLow: order.QueueLow,
	} {
		for n := range 200 {
			o := read(t, load.Orders{Priority: p}.Append(nil, n))
			if got := shop.Queue(o); got != want || !shop.Decide(o).Approved {
				t.Fatalf("order %d of priority %d goes to %s, decided %+v", n, p, got, shop.Decide(o))
			}
		}
	}
}
