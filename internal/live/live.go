// Package live hands each change of an order on to those who watch, as it happens.
//
// It receives events from the ledger, which one reader per process reads, and hands
// them on to any number of streams and waits. It owns a bounded memory of what each of
// them has not taken yet. Nothing is durable after it: a watcher that was away reads
// on in the ledger, for as long as that keeps events.
package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"orderprocessor/internal/order"
)

const (
	// readWait is how long the reader waits for an event before it asks again. It
	// bounds how long Run takes to end.
	readWait = 250 * time.Millisecond
	// retryWait is the time between two attempts to read while Redis is away.
	retryWait = 250 * time.Millisecond
	// maxPause is how long the reader may have read nothing and still be sure that
	// all events since are kept.
	maxPause = 3 * time.Second
	// maxUntaken is how many events one stream may leave untaken: a second of a
	// thousand orders, and a burst on top.
	maxUntaken = 5_000
	// maxReaders is how many streams read on in the ledger at the same time.
	maxReaders = 4
)

// The reasons why there is no stream, or no more of it.
var (
	// ErrFull means that there are as many watchers as there may be.
	ErrFull = errors.New("too many watch already")
	// ErrSlow means that the watcher did not take its events in time. It may read on
	// in a new stream, after the last event that it has.
	ErrSlow = errors.New("events were not taken in time")
)

// Books are where events are kept; see the methods of ledger.Ledger.
type Books interface {
	EventsAfter(ctx context.Context, after order.EventID, wait time.Duration) (
		events []order.Event, place order.EventID, err error)
	Reach(ctx context.Context) (oldest, newest order.EventID, err error)
}

// Config bounds how many may watch.
type Config struct {
	// MaxStreams is how many streams there may be at once.
	MaxStreams int
	// MaxWaits is how many may wait for an outcome at once.
	MaxWaits int
	// Log is told of a reader that cannot read.
	Log *slog.Logger
}

// Change is an event on its way to all that watch.
type Change struct {
	order.Event
	id   order.EventID
	once sync.Once
	text []byte
}

// Text is what encode makes of the event. It is made once for all that watch, by the
// first of them, so all must bring the same function.
func (c *Change) Text(encode func(order.Event) []byte) []byte {
	c.once.Do(func() { c.text = encode(c.Event) })
	return c.text
}

// Hub hands events on. It is safe for concurrent use.
type Hub struct {
	Config
	books   Books
	readers chan struct{}

	// wanted is sent to when somebody watches a hub that rests.
	wanted chan struct{}

	mu      sync.Mutex
	reading bool          // Run knows where it is
	began   chan struct{} // closed when it does
	place   order.EventID // of the last event that was handed on
	streams map[*Stream]struct{}
	waits   map[string][]chan struct{} // by the order that is waited for
	waiting int
}

// New returns a hub over the books.
func New(cfg Config, b Books) *Hub {
	return &Hub{
		Config: cfg, books: b, readers: make(chan struct{}, maxReaders),
		wanted: make(chan struct{}, 1), began: make(chan struct{}),
		streams: map[*Stream]struct{}{}, waits: map[string][]chan struct{}{},
	}
}

// Streams is how many streams there are.
func (h *Hub) Streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams)
}

// Run reads events and hands them on until ctx ends, while somebody watches: reading
// costs Redis as much as a script of each order. While Redis is away it asks again and
// again. It may be called once.
func (h *Hub) Run(ctx context.Context) error {
	var read time.Time
	for ctx.Err() == nil {
		if h.rest() {
			select {
			case <-h.wanted:
			case <-ctx.Done():
			}
			continue
		}
		var err error
		if time.Since(read) > maxPause || !h.knows() {
			err = h.find(ctx)
		}
		if err == nil {
			err = h.step(ctx)
		}
		if err == nil {
			read = time.Now()
			continue
		}
		h.Log.DebugContext(ctx, "events cannot be read", "error", err)
		pause(ctx, retryWait)
	}
	return nil
}

// rest says whether nobody watches. The hub forgets where it is then.
func (h *Hub) rest() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.streams) > 0 || h.waiting > 0 {
		return false
	}
	if h.reading {
		h.reading, h.began = false, make(chan struct{})
	}
	return true
}

func (h *Hub) knows() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reading
}

// join waits until the hub reads, for somebody who watches from now on. It returns
// order.ErrUnavailable when that is not before ctx ends.
func (h *Hub) join(ctx context.Context) error {
	h.mu.Lock()
	began := h.began
	h.mu.Unlock()
	select {
	case h.wanted <- struct{}{}:
	default:
	}
	select {
	case <-began:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("begin to read events: %w", order.ErrUnavailable)
	}
}

// find finds the place to read on after. When events have left the ledger unread, or
// the ledger is another one, that is a new place: streams fall, and waits end early.
func (h *Hub) find(ctx context.Context) error {
	oldest, newest, err := h.books.Reach(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.reading {
		h.reading, h.place = true, newest
		close(h.began)
		return nil
	}
	if h.place.Compare(oldest) >= 0 && h.place.Compare(newest) <= 0 {
		return nil
	}
	for s := range h.streams {
		s.fall()
	}
	for id := range h.waits {
		h.settled(id)
	}
	h.place = newest
	return nil
}

// step reads once.
func (h *Hub) step(ctx context.Context) error {
	h.mu.Lock()
	after := h.place
	h.mu.Unlock()
	events, place, err := h.books.EventsAfter(ctx, after, readWait)
	if err != nil {
		return err
	}
	h.handOn(changesOf(events), place)
	return nil
}

func (h *Hub) handOn(changes []*Change, place order.EventID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.place = place
	for s := range h.streams {
		s.add(changes, place)
	}
	for _, c := range changes {
		if c.Status.Settled() {
			h.settled(c.OrderID)
		}
	}
}

func changesOf(events []order.Event) []*Change {
	changes := make([]*Change, len(events))
	for i, e := range events {
		id, _ := order.ParseEventID(e.ID) // the ledger hands out no other
		changes[i] = &Change{Event: e, id: id}
	}
	return changes
}

// pause waits, or returns early when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
