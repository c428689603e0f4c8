package live_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
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
	mu      sync.Mutex
	events  []order.Event
	gone    int   // how many of them are not kept any more
	away    bool  // nobody can be asked
	broken  error // what they answer instead
	upTo    int   // bounds the events that a read returns; 0 for all
	more    chan struct{}
	reads   int
	readers int // how many read at this moment without waiting
	most    int // how many ever did
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

func (b *books) EventsAfter(ctx context.Context, after order.EventID, most int, wait time.Duration) ([]order.Event, order.EventID, error) {
	deadline := time.Now().Add(wait)
	b.set(func() { b.reads++ })
	if wait == 0 {
		b.set(func() { b.readers++; b.most = max(b.most, b.readers) })
		time.Sleep(time.Millisecond) // of the bubble: Redis takes its time
		defer b.set(func() { b.readers-- })
	}
	for {
		b.mu.Lock()
		away, broken, more, last := b.away, b.broken, b.more, len(b.events)
		if b.upTo > 0 && wait > 0 {
			last = b.upTo
		}
		first := min(max(int(min(after.Time, 1<<30)), b.gone), last)
		page := b.events[first:min(first+most, last)]
		b.mu.Unlock()
		switch {
		case away:
			return nil, after, order.ErrUnavailable
		case broken != nil:
			return nil, after, broken
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
	for _, c := range b.Events {
		orders = append(orders, c.OrderID)
	}
	return orders, b
}

func wantNext(t *testing.T, s *live.Stream, position int, want ...string) {
	t.Helper()
	got, b := next(t, s)
	if diff := cmp.Diff(want, got); diff != "" || b.Position != idOf(position) || b.Gap {
		t.Errorf("the next batch is at %s, gap %t (-want +got):\n%s", b.Position, b.Gap, diff)
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

// TestIdle holds that nothing is read for nobody, and that who comes then
// has what happens from then on.
func TestIdle(t *testing.T) {
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

// TestTextIsMadeOnce holds that an event is encoded once for all subscribers.
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
			if got := batch.Events[0].Text(func(e order.Event) []byte { made++; return []byte(e.OrderID) }); string(got) != "o1" {
				t.Errorf("the text is %q", got)
			}
		}
		if made != 1 {
			t.Errorf("it is made %d times", made)
		}
	})
}

// TestComplaint holds that the log has once that events cannot be read, also when
// Redis was away before, and again when that comes back.
func TestComplaint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := newBooks()
		h := live.New(live.Config{MaxStreams: 1, Log: slog.New(slog.NewTextHandler(&log, nil))}, b)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = h.Run(ctx) })
		s := open(t, h, live.Filter{})
		defer s.Close()
		for range 2 {
			b.set(func() { b.away = true })
			time.Sleep(time.Second) // of the bubble
			b.set(func() { b.away, b.broken = false, errors.New("somebody else's key") })
			time.Sleep(3 * time.Second)
			b.set(func() { b.broken = nil })
			time.Sleep(time.Second)
		}
		cancel()
		running.Wait()
		if n := strings.Count(log.String(), `msg="events cannot be read" error="somebody else's key"`); n != 2 {
			t.Errorf("the log has it %d times of 2:\n%s", n, log.String())
		}
	})
}
