package live_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

// TestGap reports a gap when events after the position of a stream are gone.
func TestGap(t *testing.T) {
	for _, row := range []struct {
		name  string
		after order.EventID
	}{
		{"events have left", idOf(2)},
		{"an event that never was", order.EventID{Time: 1 << 60}},
	} {
		t.Run(row.name, func(t *testing.T) {
			withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
				t.Helper()
				for range 6 {
					b.happen(order.StatusPending)
				}
				b.set(func() { b.gone = 4 })
				synctest.Wait()
				s := open(t, h, live.Filter{}, row.after)
				defer s.Close()
				got, batch := next(t, s)
				if len(got) > 0 || !batch.Gap || !batch.After.Equal(order.EventPosition{row.after}) || !batch.Position.Equal(at(6)) {
					t.Errorf("the first batch is %+v", batch)
				}
				b.happen(order.StatusPending)
				synctest.Wait()
				wantNext(t, s, 7, "o7")
			})
		})
	}
}

// TestUnreadEventsAreGone reports a gap when events were removed before the hub read them,
// because it could not read or was too slow.
func TestUnreadEventsAreGone(t *testing.T) {
	for _, row := range []struct {
		name  string
		leave func(b *fakeLedger)
	}{
		{"away", func(b *fakeLedger) {
			b.set(func() { b.away = true })
			time.Sleep(10 * time.Second)
			b.happen(order.StatusPending, order.StatusCompleted, order.StatusPending)
			b.set(func() { b.away, b.gone = false, 3 })
		}},
		{"lagging", func(b *fakeLedger) {
			b.set(func() { b.upTo = 1 })
			for range 300 {
				b.happen(order.StatusPending)
			}
			b.set(func() { b.upTo, b.gone = 0, 100 })
			b.happen(order.StatusPending)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
				t.Helper()
				s := open(t, h, live.Filter{})
				defer s.Close()
				b.happen(order.StatusPending)
				synctest.Wait()
				wantNext(t, s, 1, "o1")
				settled, stop, err := h.Await(t.Context(), "o3")
				if err != nil {
					t.Fatal(err)
				}
				defer stop()
				row.leave(b)
				last := len(b.events)
				if got, batch := next(t, s); len(got) > 0 || !batch.Gap || !batch.After.Equal(at(1)) || !batch.Position.Equal(at(last)) {
					t.Errorf("%v came in %+v", got, batch)
				}
				<-settled
				b.happen(order.StatusPending)
				wantNext(t, s, last+1, b.events[last].OrderID)
			})
		})
	}
}

// TestLedgerGoesBack gives streams a gap when the ledger has lost its newest events. They do
// not read in a loop meanwhile.
func TestLedgerGoesBack(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		was := open(t, h, live.Filter{})
		defer was.Close()
		b.happen(order.StatusPending, order.StatusPending, order.StatusPending)
		synctest.Wait()
		wantNext(t, was, 3, "o1", "o2", "o3")
		b.set(func() { b.events = b.events[:1] })
		back := open(t, h, live.Filter{}, idOf(1))
		defer back.Close()
		batches := 0
		for begun := time.Now(); time.Since(begun) < 2*time.Second; batches++ {
			wantNext(t, back, 1)
		}
		if batches > 3 {
			t.Errorf("the stream that reconnects has nothing %d times within two seconds", batches)
		}
		gap := live.Batch{}
		for n := 0; !gap.Gap && n < 5; n++ {
			_, gap = next(t, was)
		}
		if !gap.Gap || !gap.After.Equal(at(3)) || !gap.Position.Equal(at(1)) {
			t.Errorf("the old stream has %+v", gap)
		}
		b.happen(order.StatusPending)
		wantNext(t, was, 2, "o2")
		wantNext(t, back, 2, "o2")
	})
}

// TestNothingCanBeRead ends streams and waits when nothing can be read. They no longer count.
func TestNothingCanBeRead(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		b.set(func() { b.away = true })
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := h.Open(ctx, live.Filter{}, nil); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("a stream is %v", err)
			}
			if _, _, err := h.Await(ctx, "o1"); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("a wait is %v", err)
			}
			cancel()
		}
		b.set(func() { b.away = false })
		open(t, h, live.Filter{}).Close()
	})
}
