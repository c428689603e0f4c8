package load_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/load"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

var (
	defaultRules = rules.Builtin(rules.Limits{HighValueAbove: order.Cents(1_000_00), MaxAmount: order.Cents(10_000_00), MaxItems: 50})
	mixed        = load.Mix{order.QueueCritical: 2, order.QueueDefault: 5, order.QueueLow: 3}
)

// read makes an order of a submission, as the API does.
func read(t *testing.T, body []byte) order.Order {
	t.Helper()
	var s struct {
		ID, Customer, Address, Notes string
		Amount, Priority             json.Number
		Items                        []string
	}
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	o, err := order.New(order.Submission{
		ID: s.ID, Amount: s.Amount.String(), Priority: s.Priority.String(), Items: order.SubmittedNames(s.Items...),
		Customer: s.Customer, Address: s.Address, Notes: s.Notes,
	}, time.Now())
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return o
}

// TestOrders checks the queues and customers of mixed orders, how many the rules
// reject, that ids are unique, and that an order has about 300 bytes.
func TestOrders(t *testing.T) {
	t.Parallel()
	const orders = 10_000
	o := load.NewOrders(mixed)
	o.Customers, o.RejectEvery, o.Run = 200, 50, load.NewRun()
	queues, rejected, customers, ids := map[order.Queue]int{}, 0, map[string]bool{}, map[string]bool{}
	for n := range orders {
		got := read(t, o.Append(nil, n))
		facts := rules.Facts{Order: got}
		queues[defaultRules.Queue(facts)]++
		customers[got.Customer], ids[got.ID] = true, true
		if !defaultRules.Decide(facts).Approved() {
			rejected++
		}
		if !strings.HasPrefix(got.ID, "load-"+o.Run+"-") {
			t.Fatalf("id %q is not of run %s", got.ID, o.Run)
		}
	}
	want := map[order.Queue]int{
		order.QueueCritical: orders * 20 / 100, order.QueueDefault: orders * 50 / 100, order.QueueLow: orders * 30 / 100,
	}
	if diff := cmp.Diff(want, queues); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	if rejected != orders*2/100 || len(customers) != 200 || len(ids) != orders {
		t.Errorf("%d are rejected, of %d customers with %d ids", rejected, len(customers), len(ids))
	}
	for _, n := range []int{0, 1, 2, 49, 50, 999, 99_999, 1_000_000} {
		anonymous := load.NewOrders(mixed)
		if got := len(anonymous.Append(nil, n)); got < 290 || got > 330 {
			t.Errorf("submission %d has %d bytes, want about 300", n, got)
		}
	}
	if first, second := load.NewRun(), load.NewRun(); first == second {
		t.Error("two runs have the same name")
	}
}

// TestOneQueue checks that orders of one queue wait in that queue, and that the
// rules approve all of them unless some are to be rejected.
func TestOneQueue(t *testing.T) {
	t.Parallel()
	for _, q := range order.Queues() {
		o := load.NewOrders(load.Mix{q: 1})
		for n := range 200 {
			got := read(t, o.Append(nil, n))
			facts := rules.Facts{Order: got}
			if defaultRules.Queue(facts) != q || !defaultRules.Decide(facts).Approved() {
				t.Fatalf("order %d for %s goes to %s, decided %+v", n, q, defaultRules.Queue(facts), defaultRules.Decide(facts))
			}
		}
	}
}
