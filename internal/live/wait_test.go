package live_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

// TestAwait ends the waits for an order that is settled, and bounds their number.
func TestAwait(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		first, stopFirst, err := h.Await(t.Context(), "o2")
		if err != nil {
			t.Fatal(err)
		}
		second, stopSecond, err := h.Await(t.Context(), "o2")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.Await(t.Context(), "o2"); !errors.Is(err, live.ErrFull) {
			t.Errorf("a third may wait: %v", err)
		}
		stopSecond()
		other, stopOther, err := h.Await(t.Context(), "o3")
		if err != nil {
			t.Fatalf("a wait that has ended still counts: %v", err)
		}
		b.happen(order.StatusCompleted, order.StatusRejected, order.StatusProcessing)
		synctest.Wait()
		<-first
		select {
		case <-second:
			t.Error("a wait that has ended is notified")
		case <-other:
			t.Error("processing is no outcome")
		default:
		}
		stopFirst()
		stopOther()
	})
}
