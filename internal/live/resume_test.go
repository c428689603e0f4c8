package live_test

import (
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

// TestStreamContinues begins a stream after an earlier event. It receives all later events
// once, from the ledger and then from the hub.
func TestStreamContinues(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		for range 25 {
			b.happen(order.StatusPending)
		}
		synctest.Wait()
		s := open(t, h, live.Filter{}, idOf(3))
		defer s.Close()
		var got []string
		for position := at(3); !position.Equal(at(25)); {
			orders, batch := next(t, s)
			if batch.Gap {
				t.Fatal("there is a gap")
			}
			got, position = append(got, orders...), batch.Position
		}
		if len(got) != 22 || got[0] != "o4" || got[21] != "o25" {
			t.Errorf("after the third came %v", got)
		}
		b.happen(order.StatusPending)
		synctest.Wait()
		wantNext(t, s, 26, "o26")
		before := b.readings()
		wantNext(t, s, 26)
		if n := b.readings() - before; n > 5 { // the hub's own
			t.Errorf("with a live stream the ledger is read %d times in a second", n)
		}
	})
}

// TestLedgerAway keeps streams while the ledger is unavailable, and delivers what happened
// meanwhile.
func TestLedgerAway(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		s := open(t, h, live.Filter{})
		defer s.Close()
		b.happen(order.StatusPending)
		synctest.Wait()
		wantNext(t, s, 1, "o1")
		b.set(func() { b.away = true })
		wantNext(t, s, 1)
		back := open(t, h, live.Filter{}, idOf(0))
		defer back.Close()
		if orders, batch := next(t, back); len(orders) != 0 || !batch.Position.Equal(at(0)) {
			t.Errorf("a stream that reconnects meanwhile has %v at %s", orders, batch.Position)
		}
		time.Sleep(10 * time.Second)
		b.set(func() { b.away = false })
		b.happen(order.StatusPending)
		wantNext(t, s, 2, "o2")
		orders, _ := next(t, back)
		if diff := cmp.Diff([]string{"o1", "o2"}, orders); diff != "" {
			t.Errorf("and then (-want +got):\n%s", diff)
		}
	})
}

// TestStreamAheadOfTheHub delivers no event twice to a stream that has read further than the
// hub, and does not move it back.
func TestStreamAheadOfTheHub(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		first := open(t, h, live.Filter{})
		defer first.Close()
		b.happen(order.StatusPending)
		synctest.Wait()
		wantNext(t, first, 1, "o1")
		b.set(func() { b.upTo = 1 })
		b.happen(order.StatusPending, order.StatusPending, order.StatusPending)
		ahead := open(t, h, live.Filter{}, idOf(1))
		defer ahead.Close()
		wantNext(t, ahead, 4, "o2", "o3", "o4")
		b.set(func() { b.upTo = 2 })
		wantNext(t, first, 2, "o2")
		wantNext(t, ahead, 4)
		b.set(func() { b.upTo = 0 })
		b.happen(order.StatusPending)
		wantNext(t, first, 5, "o3", "o4", "o5")
		wantNext(t, ahead, 5, "o5")
	})
}

// TestStreamAheadOfAGap gives no gap to a stream that has read further than the hub, when
// events are gone that only the hub had not read.
func TestStreamAheadOfAGap(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		first := open(t, h, live.Filter{})
		defer first.Close()
		b.set(func() { b.upTo = 1 })
		for range 220 {
			b.happen(order.StatusPending)
		}
		ahead := open(t, h, live.Filter{}, idOf(210))
		defer ahead.Close()
		_, batch := next(t, ahead)
		if len(batch.Events) != 10 {
			t.Errorf("it has read %d events", len(batch.Events))
		}
		b.set(func() { b.gone, b.upTo = 110, 0 })
		b.happen(order.StatusPending)
		wantNext(t, ahead, 221, "o221")
	})
}

// TestFewCatchUp lets only a few of many streams that reconnect at once read the ledger at
// the same time.
func TestFewCatchUp(t *testing.T) {
	const many = 20
	withConfig(t, live.Config{MaxStreams: many, Log: slog.New(slog.DiscardHandler)}, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		for range 100 {
			b.happen(order.StatusPending)
		}
		var running sync.WaitGroup
		for range many {
			s := open(t, h, live.Filter{}, idOf(1))
			running.Go(func() {
				defer s.Close()
				for batch := (live.Batch{}); !batch.Position.Equal(at(100)); {
					batch, _ = s.Next(t.Context())
				}
			})
		}
		running.Wait()
		b.set(func() {
			if b.most < 2 || b.most > 4 {
				t.Errorf("%d streams read at the same time", b.most)
			}
		})
	})
}
