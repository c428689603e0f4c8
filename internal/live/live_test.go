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

// fakeLedger has events in memory, of which the oldest may be gone.
type fakeLedger struct {
	mu      sync.Mutex
	events  []order.Event
	gone    int   // how many of them are no longer kept
	away    bool  // it is unavailable
	silent  bool  // it does not even answer
	broken  error // the error of every read
	upTo    int   // bounds the events that the hub reads; 0 for all
	more    chan struct{}
	reads   int
	readers int // how many streams read at this moment
	most    int // the most that ever did
}

func idOf(n int) order.EventID { return order.EventID{Time: uint64(n)} }

// at is the position after the n-th event.
func at(n int) order.EventPosition { return order.EventPosition{idOf(n)} }

// happen adds events; the order of the n-th is o<n>.
func (b *fakeLedger) happen(statuses ...order.Status) {
	for _, s := range statuses {
		b.happenTo(fmt.Sprint("o", len(b.events)+1), s)
	}
}

// happenTo adds an event of an order.
func (b *fakeLedger) happenTo(id string, s order.Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, order.Event{ID: idOf(len(b.events) + 1).String(), OrderID: id, Status: s})
	close(b.more)
	b.more = make(chan struct{})
}

// readings returns how often the ledger was read.
func (b *fakeLedger) readings() (n int) {
	b.set(func() { n = b.reads })
	return n
}

// set changes the ledger under its lock.
func (b *fakeLedger) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *fakeLedger) EventsAfter(ctx context.Context, after order.EventID, most int, wait time.Duration) ([]order.Event, order.EventID, error) {
	deadline := time.Now().Add(wait)
	b.set(func() { b.reads++ })
	if wait == 0 {
		b.set(func() { b.readers++; b.most = max(b.most, b.readers) })
		time.Sleep(time.Millisecond) // as Redis needs some time
		defer b.set(func() { b.readers-- })
	}
	for {
		b.mu.Lock()
		away, silent, broken, more, last := b.away, b.silent, b.broken, b.more, len(b.events)
		if b.upTo > 0 && wait > 0 {
			last = b.upTo
		}
		first := min(max(int(min(after.Time, 1<<30)), b.gone), last)
		page := b.events[first:min(first+most, last)]
		b.mu.Unlock()
		switch {
		case silent:
			return nil, after, silence(ctx)
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

func (b *fakeLedger) Reach(ctx context.Context) (oldest, newest order.EventID, err error) {
	b.mu.Lock()
	away, silent, gone, last := b.away, b.silent, b.gone, len(b.events)
	b.mu.Unlock()
	switch {
	case silent:
		return oldest, newest, silence(ctx)
	case away:
		return oldest, newest, order.ErrUnavailable
	case gone > 0:
		oldest = idOf(gone + 1)
	}
	return oldest, idOf(last), nil
}

// silence waits for an answer as long as a client of Redis does.
func silence(ctx context.Context) error {
	select {
	case <-time.After(1200 * time.Millisecond):
	case <-ctx.Done():
	}
	return order.ErrUnavailable
}

// withHub runs a hub over a fake ledger in a bubble, where time is fake.
func withHub(t *testing.T, test func(t *testing.T, b *fakeLedger, h *live.Hub)) {
	t.Helper()
	withConfig(t, live.Config{MaxStreams: 2, MaxWaits: 2, Log: slog.New(slog.DiscardHandler)}, test)
}

func withConfig(t *testing.T, cfg live.Config, test func(t *testing.T, b *fakeLedger, h *live.Hub)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newFake()
		h := live.New(cfg, []*fakeLedger{b})
		end := run(t, h)
		test(t, b, h)
		end()
		if n := h.Streams(); n != 0 {
			t.Errorf("%d streams are left", n)
		}
	})
}

func newFake() *fakeLedger { return &fakeLedger{more: make(chan struct{})} }

// run runs a hub until the returned function is called.
func run(t *testing.T, h *live.Hub) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func open(t *testing.T, h *live.Hub, f live.Filter, after ...order.EventID) *live.Stream {
	t.Helper()
	s, err := h.Open(t.Context(), f, after)
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
	if diff := cmp.Diff(want, got); diff != "" || !b.Position.Equal(at(position)) || b.Gap {
		t.Errorf("the next batch is at %s, gap %t (-want +got):\n%s", b.Position, b.Gap, diff)
	}
}

// TestStreams delivers each event to the streams that select it.
func TestStreams(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
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

// TestSlowStream ends a stream whose subscriber does not receive its events.
func TestSlowStream(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		slow, quick := open(t, h, live.Filter{}), open(t, h, live.Filter{})
		defer slow.Close()
		defer quick.Close()
		received := 0
		for range 5100 {
			b.happen(order.StatusPending)
			synctest.Wait()
			orders, _ := next(t, quick)
			received += len(orders)
		}
		if received != 5100 {
			t.Errorf("the quick one has received %d", received)
		}
		if _, err := slow.Next(t.Context()); !errors.Is(err, live.ErrSlow) {
			t.Errorf("the slow one ends with %v", err)
		}
	})
}

// TestIdle reads nothing while there is no subscriber. A later one receives the events from
// then on.
func TestIdle(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		open(t, h, live.Filter{}).Close()
		time.Sleep(time.Second)
		before := b.readings()
		b.happen(order.StatusPending)
		time.Sleep(time.Minute)
		if n := b.readings() - before; n > 0 {
			t.Errorf("it is read %d times without a subscriber", n)
		}
		s := open(t, h, live.Filter{})
		defer s.Close()
		b.happen(order.StatusPending)
		wantNext(t, s, 2, "o2")
	})
}

// TestTextIsMadeOnce encodes an event once for all subscribers.
func TestTextIsMadeOnce(t *testing.T) {
	withHub(t, func(t *testing.T, b *fakeLedger, h *live.Hub) {
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

// TestComplaint logs once that events cannot be read, also when Redis was away before, and
// again when that happens again.
func TestComplaint(t *testing.T) {
	var log bytes.Buffer
	withConfig(t, live.Config{MaxStreams: 1, Log: slog.New(slog.NewTextHandler(&log, nil))}, func(t *testing.T, b *fakeLedger, h *live.Hub) {
		t.Helper()
		s := open(t, h, live.Filter{})
		defer s.Close()
		for range 2 {
			b.set(func() { b.away = true })
			time.Sleep(time.Second)
			b.set(func() { b.away, b.broken = false, errors.New("wrong type of key") })
			time.Sleep(3 * time.Second)
			b.set(func() { b.broken = nil })
			time.Sleep(time.Second)
		}
		if n := strings.Count(log.String(), `msg="events cannot be read" error="wrong type of key"`); n != 2 {
			t.Errorf("the log has it %d times of 2:\n%s", n, log.String())
		}
	})
}
