// Package live hands each change of an order on to those who follow, as it happens.
//
// It receives events from the ledger, which one reader per process reads, and hands
// them on to any number of streams and waits. It owns a bounded memory of what each of
// them has not taken yet. Nothing is durable after it: a follower that was away reads
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
	// checkInterval is how often the reader asks whether what it is to read next is
	// still kept. It asks as well whenever there is more than it reads at once.
	checkInterval = 3 * time.Second
	// hubEntries and streamEntries are how much of the books the hub and a stream that
	// catches up read at once, in entries of up to ten events. A stream keeps what it
	// has read until its client has taken it.
	hubEntries    = 100
	streamEntries = 20
	// maxUntaken is how many events one stream may leave untaken: a second of a
	// thousand orders, and a burst on top.
	maxUntaken = 5_000
	// maxReaders is how many streams read on in the ledger at the same time.
	maxReaders = 4
)

// The reasons why there is no stream, or no more of it.
var (
	// ErrFull means that there are as many followers, or waits, as there may be.
	ErrFull = errors.New("too many follow already")
	// ErrSlow means that the follower did not take its events in time. It may read on
	// in a new stream, after the last event that it has.
	ErrSlow = errors.New("events were not taken in time")
)

// Books are where events are kept; see the methods of ledger.Ledger.
type Books interface {
	EventsAfter(ctx context.Context, after order.EventID, most int, wait time.Duration) (
		events []order.Event, place order.EventID, err error)
	Reach(ctx context.Context) (oldest, newest order.EventID, err error)
}

// Config bounds how many may follow and wait.
type Config struct {
	// MaxStreams is how many streams there may be at once.
	MaxStreams int
	// MaxWaits is how many may wait for an outcome at once.
	MaxWaits int
	// Log is told of a reader that cannot read.
	Log *slog.Logger
}

// Change is an event on its way to all that follow.
type Change struct {
	order.Event
	id   order.EventID
	once sync.Once
	text []byte
}

// Text is what encode makes of the event. It is made once for all that follow, by the
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

	// wanted is sent to when somebody follows or waits at a hub that rests.
	wanted chan struct{}

	// The next two are Run's own.

	checked    time.Time // when the place was last found to be kept
	complained bool      // the log knows that events cannot be read

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

// join waits until the hub reads, for somebody who follows or waits from now on. It returns
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
