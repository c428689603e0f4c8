package order_test

import (
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// TestPositionIsZero holds that only the start of the list counts as the start:
// a walk that took another place for it would never end.
func TestPositionIsZero(t *testing.T) {
	t.Parallel()
	for at, want := range map[order.Position]bool{
		{}:                                     true,
		{CreatedAt: time.Time{}.UTC()}:         true,
		{ID: "o1"}:                             false,
		{CreatedAt: time.UnixMicro(0).UTC()}:   false,
		{CreatedAt: time.UnixMicro(1), ID: ""}: false,
		{CreatedAt: time.UnixMicro(1_700_000_000_000_001).UTC(), ID: "o1"}: false,
	} {
		if got := at.IsZero(); got != want {
			t.Errorf("%+v: IsZero = %t, want %t", at, got, want)
		}
	}
}

// TestNeedsArchive holds that every field that the ledger cannot select by asks for the
// archive.
func TestNeedsArchive(t *testing.T) {
	t.Parallel()
	if (order.Filter{Status: order.StatusFailed, Customer: "Ada", CreatedFrom: time.Now(), CreatedTo: time.Now()}).NeedsArchive() {
		t.Error("the ledger's own filters need the archive")
	}
	for _, f := range []order.Further{{IDPrefix: "o"}, {AmountMax: &order.Money{}}, {Metadata: map[string]string{"k": ""}}, {SettledTo: time.UnixMicro(1)}} {
		if !(order.Filter{Further: f}).NeedsArchive() {
			t.Errorf("%+v does not need the archive", f)
		}
	}
}
