package live

import (
	"context"
	"slices"

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
	// Events are in the order in which they happened. There may be none.
	Events []*Event
	// Position is how far the stream has come: except for a gap, no event up to it is
	// missing. Another stream may be opened after it.
	Position order.EventID
	// Gap is set when events after After are missing, so that the subscriber has to read
	// the orders again. Events follow the gap.
	Gap   bool
	After order.EventID
}

// Stream is the events for one subscriber. It is for one goroutine.
type Stream struct {
	hub      *Hub
	statuses []order.Status
	orders   map[string]bool // nil for all
	// more receives a value when there is something to deliver.
	more chan struct{}

	// The hub's lock guards the rest.

	position    order.EventID
	live        bool // events come from the hub, not from the ledger
	undelivered []*Event
	delivered   order.EventID // the position of the last batch
	gap         bool          // events after that are missing
	slow        bool
}

// Open begins a stream with the next event, or with those after an earlier one. It returns
// ErrFull when there are too many streams, and order.ErrUnavailable when the ledger could
// not be read before ctx ended.
func (h *Hub) Open(ctx context.Context, f Filter, after *order.EventID) (*Stream, error) {
	s := &Stream{hub: h, statuses: f.Statuses, orders: setOf(f.Orders), more: make(chan struct{}, 1)}
	if !h.enter(s) {
		return nil, ErrFull
	}
	if err := h.join(ctx); err != nil {
		s.Close()
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.position, s.live = h.position, true
	if after != nil {
		s.position, s.live = *after, false
	}
	s.delivered = s.position
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

// Position returns how far the stream has come.
func (s *Stream) Position() order.EventID {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.position
}

// Next returns the next events. It waits for them until ctx ends, and then returns none.
// It returns ErrSlow when more events wait for the subscriber than may.
func (s *Stream) Next(ctx context.Context) (Batch, error) {
	for ctx.Err() == nil {
		if !s.isLive() {
			if b, moved := s.catchUp(ctx); moved {
				return b, nil
			}
			pause(ctx, retryWait)
			continue
		}
		if b, err := s.take(); err != nil || len(b.Events) > 0 || b.Gap {
			return b, err
		}
		select {
		case <-s.more:
		case <-ctx.Done():
		}
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

func (s *Stream) isLive() bool {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.live
}

func (s *Stream) take() (Batch, error) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.slow {
		return Batch{}, ErrSlow
	}
	return s.batch(), nil
}

// add gives the stream the events that are new to it. The hub's lock is held.
func (s *Stream) add(events []*Event, position order.EventID) {
	if !s.live || s.slow {
		return
	}
	for _, e := range events {
		if e.id.Compare(s.position) > 0 && s.selects(e.Event) {
			s.undelivered = append(s.undelivered, e)
		}
	}
	if position.Compare(s.position) > 0 {
		s.position = position
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

// skip moves the stream to the position of the hub, with a gap. The hub's lock is held.
func (s *Stream) skip() {
	s.position, s.live, s.gap, s.undelivered = s.hub.position, true, true, nil
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

// catchUp reads some events from the ledger, until the stream has come as far as the hub.
// It reports whether the stream has moved. Few streams catch up at the same time, so that
// many reconnecting subscribers leave Redis room for orders. After a gap the stream
// continues with the hub, because the oldest events are the next to be removed.
func (s *Stream) catchUp(ctx context.Context) (b Batch, moved bool) {
	select {
	case s.hub.readers <- struct{}{}:
		defer func() { <-s.hub.readers }()
	case <-ctx.Done():
		return Batch{}, false
	}
	after := s.Position()
	events, position, err := s.hub.ledger.EventsAfter(ctx, after, streamEntries, 0)
	if err != nil {
		return Batch{}, false
	}
	// Checked after the read, because events may be removed between the two.
	oldest, newest, err := s.hub.ledger.Reach(ctx)
	if err != nil {
		return Batch{}, false
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if !kept(after, oldest, newest) {
		s.skip()
		return s.batch(), true
	}
	for _, e := range wrap(events) {
		if s.selects(e.Event) {
			s.undelivered = append(s.undelivered, e)
		}
	}
	s.position, s.live = position, position.Compare(s.hub.position) >= 0
	return s.batch(), s.live || position != after
}

// batch removes and returns what there is. The hub's lock is held.
func (s *Stream) batch() Batch {
	b := Batch{Events: s.undelivered, Position: s.position, Gap: s.gap, After: s.delivered}
	s.undelivered, s.gap, s.delivered = nil, false, s.position
	return b
}
