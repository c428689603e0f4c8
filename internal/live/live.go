// Package live delivers each event of an order to its subscribers as it happens.
//
// It receives events from the ledger, which one reader per process reads, and delivers
// them to any number of streams and waits. It keeps a bounded number of events that each
// stream has not received yet. Nothing is durable after it: a subscriber that was away
// catches up from the ledger, for as long as that keeps events.
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
	// readWait is how long one read waits for an event. It bounds how long Run takes to
	// end.
	readWait = 250 * time.Millisecond
	// retryWait is the time between two attempts to read while Redis is unavailable.
	retryWait = 250 * time.Millisecond
	// checkInterval is how often the reader checks that the events after its position are
	// still kept. It also checks whenever there is more than it reads at once.
	checkInterval = 3 * time.Second
	// hubEntries and streamEntries are how many entries of the ledger's stream, of up to
	// ten events each, the hub and a stream that catches up read at once. A stream keeps
	// them until its subscriber has received them.
	hubEntries    = 100
	streamEntries = 20
	// maxUndelivered bounds the events that wait for one subscriber: a second of a
	// thousand orders, and a burst.
	maxUndelivered = 5_000
	// maxReaders is how many streams catch up at the same time.
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

// Ledger keeps the events; see the methods of ledger.Ledger.
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
	ledger  Ledger
	readers chan struct{}

	// wanted receives a value when somebody joins a hub that does not read.
	wanted chan struct{}

	// The next two belong to Run.

	checked time.Time // when the position was last found to be kept
	logged  bool      // the log has the reason why events cannot be read

	mu       sync.Mutex
	reading  bool          // Run has a position
	began    chan struct{} // closed when it has
	position order.EventID // of the last delivered event
	streams  map[*Stream]struct{}
	waits    map[string][]chan struct{} // by order id
	waiting  int
}

// New returns a hub that reads from the ledger.
func New(cfg Config, l Ledger) *Hub {
	return &Hub{
		Config: cfg, ledger: l, readers: make(chan struct{}, maxReaders),
		wanted: make(chan struct{}, 1), began: make(chan struct{}),
		streams: map[*Stream]struct{}{}, waits: map[string][]chan struct{}{},
	}
}

// Streams returns the number of open streams.
func (h *Hub) Streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams)
}

// join waits until the hub reads. It returns order.ErrUnavailable when ctx ends before.
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
