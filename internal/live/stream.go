package live

import (
	"context"
	"iter"
	"slices"
	"time"

	"orderprocessor/internal/order"
)

// Filter selects the events of a stream. The zero value selects all.
type Filter struct {
	// Statuses are the statuses of the selected events; none means all.
	Statuses []order.Status
	// Orders are the ids of the selected orders; none means all.
	Orders []string
}

// Batch is what a stream has at one moment.
type Batch struct {
	// Events are in the order in which they happened, those of one book. There may be none.
	Events []*Event
	// Position is how far the stream has come: except for a gap, no event up to it is
	// missing. Another stream may be opened after it.
	Position order.EventPosition
	// Gap is set when events after After are missing, so that the subscriber has to read
	// the orders again. Events follow the gap.
	Gap bool
	// After is the position of the batch before.
	After order.EventPosition
}

// All returns the events, each with a position from which a stream continues with the next.
// In a book with a gap it may be before the gap. The next step changes the position.
func (b Batch) All() iter.Seq2[order.EventPosition, *Event] {
	return func(yield func(order.EventPosition, *Event) bool) {
		position := slices.Clone(b.After)
		for _, e := range b.Events {
			position[e.book] = e.id
			if !yield(position, e) {
				return
			}
		}
	}
}

// Stream is the events for one subscriber. It is for one goroutine.
type Stream struct {
	hub      *Hub
	statuses []order.Status
	orders   map[string]bool // nil for all
	// more receives a value when there is something to deliver.
	more chan struct{}

	// The hub's lock guards the rest.

	position    order.EventPosition
	live        []bool // by book: events come from the hub, not from the ledger
	undelivered []*Event
	delivered   order.EventPosition // the position of the last batch
	gap         bool                // events after that are missing
	slow        bool
}

// Open begins a stream with the next events, or with those after an earlier position, which
// has an id for each book. It returns ErrFull when there are too many streams, and
// order.ErrUnavailable when no book could be read before ctx ended. The events of a book
// that cannot be read follow when it can be, after a gap if its position is not known.
func (h *Hub) Open(ctx context.Context, f Filter, after order.EventPosition) (*Stream, error) {
	s := &Stream{hub: h, statuses: f.Statuses, orders: setOf(f.Orders), more: make(chan struct{}, 1), live: make([]bool, len(h.books))}
	if !h.enter(s) {
		return nil, ErrFull
	}
	for _, b := range h.books {
		b.want()
	}
	if err := h.until(ctx, h.settledDown); err != nil && !h.readsAny() {
		s.Close()
		return nil, err
	}
	s.begin(after)
	return s, nil
}

func setOf(ids []string) map[string]bool {
	if len(ids) == 0 {
		return nil
	}
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// enter registers the stream. It reports whether there was room for it.
func (h *Hub) enter(s *Stream) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.streams) >= h.MaxStreams {
		return false
	}
	h.streams[s] = struct{}{}
	return true
}

// settledDown reports whether a book is read, and no other is about to be. The lock is held.
func (h *Hub) settledDown() bool {
	reading := func(b *book) bool { return b.reading }
	beginning := func(b *book) bool { return !b.reading && !b.away }
	return slices.ContainsFunc(h.books, reading) && !slices.ContainsFunc(h.books, beginning)
}

func (h *Hub) readsAny() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.books, func(b *book) bool { return b.reading })
}

// begin sets the position. Of several books, there is nothing to catch up with in those
// where the hub is at the same one: most, if they are many.
func (s *Stream) begin(after order.EventPosition) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.position = slices.Clone(after)
	for n, b := range s.hub.books {
		switch {
		case after != nil:
			s.live[n] = len(after) > 1 && b.reading && b.position == after[n]
		case b.reading:
			s.position, s.live[n] = append(s.position, b.position), true
		default:
			s.position = append(s.position, order.UnknownEventID())
		}
	}
	s.delivered = slices.Clone(s.position)
}

// Position returns how far the stream has come.
func (s *Stream) Position() order.EventPosition {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return slices.Clone(s.position)
}

// Next returns the next events. It waits for them until ctx ends, and then returns none.
// It returns ErrSlow when more events wait for the subscriber than may.
func (s *Stream) Next(ctx context.Context) (Batch, error) {
	for ctx.Err() == nil {
		behind := s.behind()
		moved := behind != nil && s.catchUp(ctx, behind)
		if batch, err := s.take(); moved || err != nil || len(batch.Events) > 0 || batch.Gap {
			return batch, err
		}
		s.wait(ctx, behind != nil)
	}
	return s.take()
}

// Close ends the stream. It may be called twice.
func (s *Stream) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.streams, s)
	s.undelivered = nil
}

// behind returns a book that the stream has to catch up with, and that can be read; nil for
// none.
func (s *Stream) behind() *book {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for n, b := range s.hub.books {
		if !s.live[n] && b.reading && !b.away {
			return b
		}
	}
	return nil
}

// wait waits until there may be something to deliver, or until it is time to try again.
func (s *Stream) wait(ctx context.Context, again bool) {
	var retry <-chan time.Time
	if again {
		timer := time.NewTimer(retryWait)
		defer timer.Stop()
		retry = timer.C
	}
	select {
	case <-s.more:
	case <-retry:
	case <-ctx.Done():
	}
}

func (s *Stream) take() (Batch, error) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.slow {
		return Batch{}, ErrSlow
	}
	b := Batch{Events: s.undelivered, Position: slices.Clone(s.position), Gap: s.gap, After: s.delivered}
	s.undelivered, s.gap, s.delivered = nil, false, slices.Clone(s.position)
	return b, nil
}

// add gives the stream the events of a book that are new to it. The hub's lock is held.
func (s *Stream) add(b *book, events []*Event) {
	if !s.live[b.number] || s.slow {
		return
	}
	position := &s.position[b.number]
	for _, e := range events {
		if e.id.Compare(*position) > 0 && s.selects(e.Event) {
			s.undelivered = append(s.undelivered, e)
		}
	}
	if b.position.Compare(*position) > 0 {
		*position = b.position
	}
	if len(s.undelivered) > maxUndelivered {
		s.slow, s.undelivered = true, nil
		s.wake()
		return
	}
	if len(s.undelivered) > 0 {
		s.wake()
	}
}

// skip moves the stream to the position of the hub in a book, with a gap. The hub's lock is
// held.
func (s *Stream) skip(b *book) {
	s.undelivered = slices.DeleteFunc(s.undelivered, func(e *Event) bool { return e.book == b.number })
	s.position[b.number], s.live[b.number], s.gap = b.position, true, true
	s.wake()
}

func (s *Stream) wake() {
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *Stream) selects(e order.Event) bool {
	return (len(s.statuses) == 0 || slices.Contains(s.statuses, e.Status)) && (s.orders == nil || s.orders[e.OrderID])
}

// catchUp reads some events of a book from the ledger, until the stream has come as far as
// the hub. It reports whether the stream has moved. Few streams catch up at the same time,
// so that many reconnecting subscribers leave Redis room for orders. After a gap the stream
// continues with the hub, because the oldest events are the next to be removed.
func (s *Stream) catchUp(ctx context.Context, b *book) (moved bool) {
	ctx, cancel := context.WithTimeout(ctx, catchUpWait)
	defer cancel()
	select {
	case b.readers <- struct{}{}:
		defer func() { <-b.readers }()
	case <-ctx.Done():
		return false
	}
	after := s.Position()[b.number]
	events, position, err := b.ledger.EventsAfter(ctx, after, streamEntries, 0)
	if err != nil {
		return false
	}
	// Checked after the read, because events may be removed between the two.
	oldest, newest, err := b.ledger.Reach(ctx)
	if err != nil {
		return false
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if !kept(after, oldest, newest) {
		s.skip(b)
		return true
	}
	for _, e := range b.wrap(events) {
		if s.selects(e.Event) {
			s.undelivered = append(s.undelivered, e)
		}
	}
	s.position[b.number], s.live[b.number] = position, position.Compare(b.position) >= 0
	return s.live[b.number] || position != after
}
