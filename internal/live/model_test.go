package live_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

// kept is how many events a book has at least, if it has forgotten any: more than the hub
// reads at once.
const kept = 120

// client is a subscriber to everything, which knows nothing but what it has received.
type client struct {
	stream   *live.Stream
	books    []*fakeLedger
	position order.EventPosition // the id that it has received last
}

// receive takes the next events, at most so many of them, and checks that they are those
// after the position: in each book none is missing, and none comes twice. It reports
// whether these were all.
func (c *client) receive(t *rapid.T, most int) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	b, err := c.stream.Next(ctx)
	if err != nil {
		return false
	}
	jumped := c.jumped(t, b)
	had := append(order.EventPosition(nil), c.position...)
	for position, e := range b.All() {
		if most--; most < 0 {
			return false
		}
		n := order.BookOf(e.OrderID, len(c.books))
		came := position[n]
		repeated := had[n] != order.UnknownEventID() && came.Time <= had[n].Time
		if came.String() != e.ID || repeated || came.Time != had[n].Time+1 && !jumped[n] {
			t.Fatalf("after %v in book %d came %s at %v, jumped %v", had, n, e.ID, position, jumped)
		}
		had[n], jumped[n] = came, false
		c.position = read(t, position)
	}
	for n, id := range b.Position {
		if id != had[n] && !jumped[n] {
			t.Fatalf("the position in book %d is %s, and the events up to %s came", n, id, had[n])
		}
	}
	c.position = read(t, b.Position)
	return true
}

// jumped returns the books in which events are missing, and checks that they are no longer
// kept there, or the position was not known.
func (c *client) jumped(t *rapid.T, b live.Batch) map[int]bool {
	jumped := map[int]bool{}
	if !b.Gap {
		return jumped
	}
	for n, id := range b.After {
		c.books[n].set(func() {
			if id == order.UnknownEventID() || id.Time <= uint64(c.books[n].gone) && c.books[n].gone > 0 {
				jumped[n] = true
			}
		})
	}
	if len(jumped) == 0 {
		t.Fatalf("there is a gap after %v, where everything is kept", b.After)
	}
	return jumped
}

// read passes a position through its text.
func read(t *rapid.T, p order.EventPosition) order.EventPosition {
	q, err := order.ParseEventPosition(p.String())
	if err != nil || !q.Equal(p) {
		t.Fatalf("%v is read as %v: %v", p, q, err)
	}
	return q
}

// TestModel lets books with events of random orders leave, return and forget, and a client
// whose connection breaks anywhere continue at one of two API processes. It receives each
// event once, in the sequence of its book, unless it is told of a gap.
func TestModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { rapid.Check(struct{ rapid.TB }{t}, model) }) // a bubble has no deadline, which *testing.T has
}

func model(t *rapid.T) {
	books := rapid.IntRange(1, 5).Draw(t, "books")
	one, fakes := newHub(books)
	hubs := []*live.Hub{one, live.New(one.Config, fakes)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	for _, h := range hubs {
		go func() { ended <- h.Run(ctx) }()
	}
	c := &client{books: fakes}
	defer func() {
		if c.stream != nil {
			c.stream.Close()
		}
		cancel()
		_, _ = <-ended, <-ended
	}()
	connect := func() {
		if c.stream != nil {
			c.stream.Close()
			c.stream = nil
		}
		joining, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		s, err := hubs[rapid.IntRange(0, 1).Draw(t, "hub")].Open(joining, live.Filter{}, c.position)
		if err != nil {
			return
		}
		if c.stream = s; c.position == nil {
			c.position = read(t, s.Position())
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"happen": func(t *rapid.T) {
			n := rapid.IntRange(0, books-1).Draw(t, "book")
			for range rapid.SampledFrom([]int{1, 2, 3, 30, 150}).Draw(t, "events") {
				fakes[n].happenTo(orderIn(n, books, rapid.IntRange(1, 3).Draw(t, "order")), order.StatusPending)
			}
			if rapid.Bool().Draw(t, "is read") {
				synctest.Wait()
			}
		},
		"leave or return": func(t *rapid.T) {
			b := fakes[rapid.IntRange(0, books-1).Draw(t, "book")]
			silent := rapid.Bool().Draw(t, "silent")
			b.set(func() { b.away, b.silent = !b.away && !silent, !b.silent && silent })
		},
		"forget": func(t *rapid.T) {
			b := fakes[rapid.IntRange(0, books-1).Draw(t, "book")]
			b.set(func() { b.gone = rapid.IntRange(b.gone, max(b.gone, len(b.events)-kept)).Draw(t, "gone") })
		},
		"wait": func(t *rapid.T) {
			time.Sleep(rapid.SampledFrom([]time.Duration{time.Millisecond, 300 * time.Millisecond, 4 * time.Second}).Draw(t, "time"))
		},
		"receive": func(t *rapid.T) {
			if c.stream == nil || !c.receive(t, rapid.SampledFrom([]int{0, 1, 2, 1000, 1000, 1000}).Draw(t, "most")) {
				connect()
			}
		},
		"connect": func(*rapid.T) { connect() },
	})
	for _, b := range fakes {
		b.set(func() { b.away, b.silent = false, false })
	}
	c.receiveRest(t, connect)
}

// receiveRest receives everything, once all books are back.
func (c *client) receiveRest(t *rapid.T, connect func()) {
	want := make(order.EventPosition, len(c.books))
	for n, b := range c.books {
		want[n] = idOf(len(b.events))
	}
	for began := time.Now(); !c.position.Equal(want); {
		if time.Since(began) > time.Minute {
			t.Fatalf("the client is at %v, the books at %v", c.position, want)
		}
		if c.stream == nil || !c.receive(t, 10_000) {
			connect()
		}
	}
}
