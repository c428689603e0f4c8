package ordertest_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

func TestOrderAppliesOptions(t *testing.T) {
	t.Parallel()
	at := time.Now().Add(time.Hour)
	got := ordertest.Order(
		t,
		ordertest.WithID("ord_1"), ordertest.WithAmount("1e3"), ordertest.WithItems(2),
		ordertest.WithCustomer("Grace"), ordertest.WithPriority(order.PriorityLow), ordertest.WithProcessAt(at),
	)
	want := order.Order{
		ID: "ord_1", Content: order.Content{
			Amount: order.Cents(100_000), Items: order.Names("item 0", "item 1"),
			Customer: "Grace", Address: got.Address, Priority: order.PriorityLow,
			ProcessAt: at.UTC().Truncate(time.Microsecond),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestOrderHasFreshID(t *testing.T) {
	t.Parallel()
	a, b := ordertest.Order(t), ordertest.Order(t)
	if a.ID == b.ID || !order.ValidID(a.ID) || !order.ValidID(b.ID) {
		t.Errorf("ids %q and %q, want two different valid ones", a.ID, b.ID)
	}
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("two ordinary orders differ in more than their ids")
	}
}

// TestFull holds that no field of a full order is left out.
func TestFull(t *testing.T) {
	t.Parallel()
	for _, v := range []any{ordertest.Submission(ordertest.Full), ordertest.Order(t, ordertest.Full).Content} {
		for i, fields := 0, reflect.ValueOf(v); i < fields.NumField(); i++ {
			if fields.Field(i).IsZero() {
				t.Errorf("%T has no %s", v, fields.Type().Field(i).Name)
			}
		}
	}
}
