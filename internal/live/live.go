// Package live delivers each event of an order to its subscribers as it happens.
//
// It receives events from the books, each of which one reader per process reads, and
// delivers them to any number of streams and waits. The events of one order are in one
// book and arrive in sequence; those of different books arrive in any order, and a book
// that cannot be read delays its own events only. It keeps a bounded number of events that
// each stream has not received yet. Nothing is durable after it: a subscriber that was
// away catches up from the books, for as long as they keep events.
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
	// readWait is how long one read waits for an event, for each book up to maxReadWait: so
	// many idle books are read hardly more often than one. It is also the time between two
	// attempts to read a book that is unavailable.
	readWait = 250 * time.Millisecond
	// maxReadWait bounds how long Run takes to end, as nothing interrupts a read.
	maxReadWait = time.Second
	// checkAfter is after how many reads of an idle book its reader checks that the events
	// after its position are still kept. It also checks whenever there is more than it reads
	// at once.
	checkAfter = 12
	// retryWait is the time between two attempts of a stream to catch up.
	retryWait = 250 * time.Millisecond
	// catchUpWait bounds one attempt: while one book does not answer, the stream has no
	// events of the others.
	catchUpWait = time.Second
	// hubEntries and streamEntries are how many entries of a book's stream, of up to ten
	// events each, the hub and a stream that catches up read at once. A stream keeps them
	// until its subscriber has received them.
	hubEntries    = 100
	streamEntries = 20
	// maxUndelivered bounds the events that wait for one subscriber: a second of a
	// thousand orders, and a burst.
	maxUndelivered = 5_000
	// maxReaders is how many streams catch up at the same time, or one in each book.
	maxReaders = 4
)

// The reasons why there is no stream, or why it ended.
var (
	// ErrFull means that there are as many streams, or waits, as there may be.
	ErrFull = errors.New("too many subscribers")
	// ErrSlow means that the subscriber did not receive its events in time. It may open a
	// new stream after its last event.
	ErrSlow = errors.New("events were not received in time")
)

// Ledger keeps the events of one book; see the methods of ledger.Book.
type Ledger interface {
	EventsAfter(ctx context.Context, after order.EventID, most int, wait time.Duration) (
		events []order.Event, position order.EventID, err error)
	Reach(ctx context.Context) (oldest, newest order.EventID, err error)
}

// Config bounds a Hub.
type Config struct {
	// MaxStreams bounds the open streams.
	MaxStreams int
	// MaxWaits bounds the clients that wait for an outcome.
	MaxWaits int
	// Log receives a line when events cannot be read.
	Log *slog.Logger
}

// Event is an event on its way to all subscribers.
type Event struct {
	order.Event
	book int
	id   order.EventID
	once sync.Once
	text []byte
}

// Text returns what encode makes of the event. The first subscriber encodes for all, so
// all must pass the same function.
func (e *Event) Text(encode func(order.Event) []byte) []byte {
	e.once.Do(func() { e.text = encode(e.Event) })
	return e.text
}

// Hub delivers events. It is safe for concurrent use.
type Hub struct {
	Config
	books []*book

	mu      sync.Mutex
	changed chan struct{} // closed when a book can be read, or can no longer
	streams map[*Stream]struct{}
	waiting int
}

// New returns a hub that reads the books, at least one and at most order.MaxBooks. The
// n-th has the orders of which order.BookOf returns n.
func New[L Ledger](cfg Config, books []L) *Hub {
	h := &Hub{Config: cfg, changed: make(chan struct{}), streams: map[*Stream]struct{}{}}
	for n, l := range books {
		h.books = append(h.books, &book{
			hub: h, number: n, ledger: l, readWait: min(readWait*time.Duration(len(books)), maxReadWait),
			readers: make(chan struct{}, max(1, maxReaders/len(books))), wanted: make(chan struct{}, 1),
			waits: map[string][]chan struct{}{},
		})
	}
	return h
}

// Streams returns the number of open streams.
func (h *Hub) Streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams)
}

// until waits until something is true of the books, which is asked with the lock held. It
// returns order.ErrUnavailable when ctx ends before.
func (h *Hub) until(ctx context.Context, isTrue func() bool) error {
	for {
		h.mu.Lock()
		ok, changed := isTrue(), h.changed
		h.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("begin to read events: %w", order.ErrUnavailable)
		}
	}
}

// change tells everybody that a book can be read, or can no longer. The lock is held.
func (h *Hub) change() {
	close(h.changed)
	h.changed = make(chan struct{})
	for s := range h.streams {
		s.wake()
	}
}
