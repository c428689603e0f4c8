package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// books are events in memory, of which the older ones may be gone.
type books struct {
	mu     sync.Mutex
	events []order.Event
	gone   int  // how many of them are not kept any more
	away   bool // nobody can be asked
	more   chan struct{}
	reads  int
}

func newBooks() *books { return &books{more: make(chan struct{})} }

func idOf(n int) order.EventID { return order.EventID{Time: uint64(n)} }

// happen adds events; the order of the n-th is o<n>.
func (b *books) happen(statuses ...order.Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range statuses {
		n := len(b.events) + 1
		b.events = append(b.events, order.Event{ID: idOf(n).String(), OrderID: fmt.Sprint("o", n), Status: s})
	}
	close(b.more)
	b.more = make(chan struct{})
}

// readings is how often the books were read.
func (b *books) readings() (n int) {
	b.set(func() { n = b.reads })
	return n
}

// set changes what there is, under the lock.
func (b *books) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *books) EventsAfter(ctx context.Context, after order.EventID, wait time.Duration) ([]order.Event, order.EventID, error) {
	deadline := time.Now().Add(wait)
	b.set(func() { b.reads++ })
	for {
		b.mu.Lock()
		away, more := b.away, b.more
		first := min(max(int(min(after.Time, 1<<30)), b.gone), len(b.events))
		page := b.events[first:min(first+10, len(b.events))]
		b.mu.Unlock()
		switch {
		case away:
			return nil, after, order.ErrUnavailable
		case len(page) > 0:
			return page, idOf(first + len(page)), nil
		case !time.Now().Before(deadline):
			return nil, after, nil
		}
		select {
		case <-more:
		case <-time.After(time.Until(deadline)):
		case <-ctx.Done():
			return nil, after, ctx.Err()
		}
	}
}

func (b *books) Reach(context.Context) (oldest, newest order.EventID, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return oldest, newest, order.ErrUnavailable
	}
	if b.gone > 0 {
		oldest = idOf(b.gone + 1)
	}
	return oldest, idOf(len(b.events)), nil
}

// watch runs a hub over the books in a bubble.
func watch(t *testing.T, test func(t *testing.T, b *books, h *live.Hub)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBooks()
		h := live.New(live.Config{MaxStreams: 2, MaxWaits: 2, Log: slog.New(slog.DiscardHandler)}, b)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		synctest.Wait()
		test(t, b, h)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if n := h.Streams(); n != 0 {
			t.Errorf("%d streams are left", n)
		}
	})
}

func open(t *testing.T, h *live.Hub, f live.Filter, after ...order.EventID) *live.Stream {
	t.Helper()
	var from *order.EventID
	if len(after) > 0 {
		from = &after[0]
	}
	s, err := h.Open(t.Context(), f, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// next returns the orders of what comes next within a second.
func next(t *testing.T, s *live.Stream) (orders []string, b live.Batch) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	b, err := s.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Changes {
		orders = append(orders, c.OrderID)
	}
	return orders, b
}

func wantNext(t *testing.T, s *live.Stream, place int, want ...string) {
	t.Helper()
	got, b := next(t, s)
	if diff := cmp.Diff(want, got); diff != "" || b.Place != idOf(place) || b.Gap {
		t.Errorf("the next batch is at %s, gap %t (-want +got):\n%s", b.Place, b.Gap, diff)
	}
}

func TestStreams(t *testing.T) {
	watch(t, func(t *testing.T, b *books, h *live.Hub) {
		t.Helper()
		all := open(t, h, live.Filter{})
		some := open(t, h, live.Filter{Statuses: []order.Status{order.StatusFailed}, Orders: []string{"o2", "o3"}})
		defer all.Close()
		defer some.Close()
		b.happen(order.StatusFailed, order.StatusPending, order.StatusFailed)
		synctest.Wait()
		wantNext(t, all, 3, "o1", "o2", "o3")
		wantNext(t, some, 3, "o3")
		b.happen(order.StatusPending)
		synctest.Wait()
		wantNext(t, all, 4, "o4")
		wantNext(t, some, 4) // nothing of its own, but it has come further
		if _, err := h.Open(t.Context(), live.Filter{}, nil); !errors.Is(err, live.ErrFull) {
			t.Errorf("a third stream: %v", err)
		}
	})
}

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
				t.Fatal("a gap is told where none is")
			}
			got, place = append(got, orders...), batch.Place
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

// TestGap holds that a stream tells when it cannot go on where it should.
func TestGap(t *testing.T) {
	for _, row := range []struct {
		name  string
		after order.EventID
		want  []string
	}{
		{"events have left", idOf(2), []string{"o5", "o6"}},
		{"an event that never was", order.EventID{Time: 1 << 60}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			watch(t, func(t *testing.T, b *books, h *live.Hub) {
				t.Helper()
				for range 6 {
					b.happen(order.StatusPending)
				}
				b.set(func() { b.gone = 4 })
				synctest.Wait()
				s := open(t, h, live.Filter{}, row.after)
				defer s.Close()
				got, batch := next(t, s)
				if diff := cmp.Diff(row.want, got); diff != "" || !batch.Gap || batch.After != row.after || batch.Place != idOf(6) {
					t.Errorf("the first batch is %+v (-want +got):\n%s", batch, diff)
				}
				b.happen(order.StatusPending)
				synctest.Wait()
				wantNext(t, s, 7, "o7")
			})
		})
	}
}

// TestSlowStream holds that what a stream leaves untaken is bounded.
func TestSlowStream(t *testing.T) {
	watch(t, func(t *testing.T, b *books, h *live.Hub) {
		t.Helper()
		slow, quick := open(t, h, live.Filter{}), open(t, h, live.Filter{})
		defer slow.Close()
		defer quick.Close()
		taken := 0
		for range 5100 {
			b.happen(order.StatusPending)
			synctest.Wait()
			orders, _ := next(t, quick)
			taken += len(orders)
		}
		if taken != 5100 {
			t.Errorf("the quick one has taken %d", taken)
		}
		if _, err := slow.Next(t.Context()); !errors.Is(err, live.ErrSlow) {
			t.Errorf("the slow one ends with %v", err)
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
		if orders, batch := next(t, back); len(orders) != 0 || batch.Place != idOf(0) {
			t.Errorf("one that comes back meanwhile has %v at %s", orders, batch.Place)
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

// TestEventsLeaveUnread holds that a reader that could not keep up does not pretend
// to: streams end, and those that come back are told of the gap.
func TestEventsLeaveUnread(t *testing.T) {
	watch(t, func(t *testing.T, b *books, h *live.Hub) {
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
		b.set(func() { b.away = true })
		time.Sleep(10 * time.Second)
		b.happen(order.StatusPending, order.StatusCompleted, order.StatusPending)
		b.set(func() { b.away, b.gone = false, 3 })
		if _, err := s.Next(t.Context()); !errors.Is(err, live.ErrSlow) {
			t.Errorf("the stream ends with %v", err)
		}
		<-settled
	})
}

// TestNothingCanBeRead holds that nobody is left waiting, and no place is lost, when
// nothing can be read.
func TestNothingCanBeRead(t *testing.T) {
	watch(t, func(t *testing.T, b *books, h *live.Hub) {
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

// TestNobodyWatches holds that nothing is read for nobody, and that who comes then
// has what happens from then on.
func TestNobodyWatches(t *testing.T) {
	watch(t, func(t *testing.T, b *books, h *live.Hub) {
		t.Helper()
		open(t, h, live.Filter{}).Close()
		time.Sleep(time.Second) // of the bubble
		before := b.readings()
		b.happen(order.StatusPending)
		time.Sleep(time.Minute)
		if n := b.readings() - before; n > 0 {
			t.Errorf("it is read %d times for nobody", n)
		}
		s := open(t, h, live.Filter{})
		defer s.Close()
		b.happen(order.StatusPending)
		wantNext(t, s, 2, "o2")
	})
}

func TestAwait(t *testing.T) {
	watch(t, func(t *testing.T, b *books, h *live.Hub) {
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
			t.Fatalf("a place that was left is not free: %v", err)
		}
		b.happen(order.StatusCompleted, order.StatusRejected, order.StatusProcessing)
		synctest.Wait()
		<-first
		select {
		case <-second:
			t.Error("who has left is told")
		case <-other:
			t.Error("processing is no outcome")
		default:
		}
		stopFirst()
		stopOther()
	})
}

// TestTextIsMadeOnce holds that an event is encoded once for all who watch.
func TestTextIsMadeOnce(t *testing.T) {
	watch(t, func(t *testing.T, b *books, h *live.Hub) {
		t.Helper()
		one, two := open(t, h, live.Filter{}), open(t, h, live.Filter{})
		defer one.Close()
		defer two.Close()
		b.happen(order.StatusPending)
		synctest.Wait()
		made := 0
		for _, s := range []*live.Stream{one, two} {
			_, batch := next(t, s)
			if got := batch.Changes[0].Text(func(e order.Event) []byte { made++; return []byte(e.OrderID) }); string(got) != "o1" {
				t.Errorf("the text is %q", got)
			}
		}
		if made != 1 {
			t.Errorf("it is made %d times", made)
		}
	})
}
