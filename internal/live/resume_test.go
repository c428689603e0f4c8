package live_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

// TestStreamGoesOn holds that a stream which begins after an earlier event has all
// since, from the ledger and then from the hub, and none twice.
func TestStreamGoesOn(t *testing.T) {
	watch(t, func(t *testing.T, b *books, h *live.Hub) {
		t.Helper()
		for range 25 {
			b.happen(order.StatusPending)
		}
		synctest.Wait()
		s := open(t, h, live.Filter{}, idOf(3))
		defer s.Close()
		var got []string
		for place := (order.EventID{}); place != idOf(25); {
			orders, batch := next(t, s)
			if batch.Gap {
				t.Fatal("there is a gap")
			}
			got, place = append(got, orders...), batch.Position
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
			t.Errorf("a stream that is live has the ledger read %d times in a second", n)
		}
	})
}

// TestBooksAway holds that streams live through it, and that those who were there
// hear of what happened meanwhile.
func TestBooksAway(t *testing.T) {
	watch(t, func(t *testing.T, b *books, h *live.Hub) {
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
		if orders, batch := next(t, back); len(orders) != 0 || batch.Position != idOf(0) {
			t.Errorf("one that comes back meanwhile has %v at %s", orders, batch.Position)
		}
		time.Sleep(10 * time.Second) // of the bubble
		b.set(func() { b.away = false })
		b.happen(order.StatusPending)
		wantNext(t, s, 2, "o2")
		orders, _ := next(t, back)
		if diff := cmp.Diff([]string{"o1", "o2"}, orders); diff != "" {
			t.Errorf("and then (-want +got):\n%s", diff)
		}
	})
}

// TestStreamAheadOfTheHub holds that a stream which has read on further than the hub has
// no event twice, and does not go back.
func TestStreamAheadOfTheHub(t *testing.T) {
	watch(t, func(t *testing.T, b *books, h *live.Hub) {
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

// TestFewReadOn holds that of many streams that come back at once few read the books at
// the same time.
func TestFewReadOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 20
		b := newBooks()
		h := live.New(live.Config{MaxStreams: many, Log: slog.New(slog.DiscardHandler)}, b)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = h.Run(ctx) })
		for range 100 {
			b.happen(order.StatusPending)
		}
		for range many {
			s := open(t, h, live.Filter{}, idOf(1))
			running.Go(func() {
				defer s.Close()
				for batch := (live.Batch{}); batch.Position != idOf(100); {
					batch, _ = s.Next(ctx)
				}
			})
		}
		time.Sleep(time.Minute) // of the bubble
		cancel()
		running.Wait()
		b.set(func() {
			if b.most < 2 || b.most > 4 {
				t.Errorf("%d streams read at the same time", b.most)
			}
		})
	})
}
