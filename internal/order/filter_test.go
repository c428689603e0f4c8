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
