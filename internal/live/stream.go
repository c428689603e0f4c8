package live

import (
	"context"
	"slices"

	"orderprocessor/internal/order"
)

// Filter says which events a stream has. Its zero value lets all pass.
type Filter struct {
	// Statuses are what an order may have become; none means anything.
	Statuses []order.Status
	// Orders are whose events they are; none means everybody's.
	Orders []string
}

// Batch is what a stream has at one moment.
type Batch struct {
	// Changes are events in their order, none when there is nothing new.
	Changes []*Change
	// Place is how far the stream has come: no event up to it is missing, but for a
	// gap. Another stream may be opened after it.
	Place order.EventID
	// Gap says that events after After are missing: what was made of events so far is to
	// be read anew. The changes come after the gap.
	Gap   bool
	After order.EventID
}

// Stream is the events for one follower. It is for one goroutine.
type Stream struct {
	hub      *Hub
	statuses []order.Status
	orders   map[string]bool // nil for everybody's
	// more is sent to when there is something to take.
	more chan struct{}

	// The rest belongs to the hub's lock.

	place   order.EventID // how far the stream has come
	live    bool          // events come from the hub, not from the ledger
	untaken []*Change
	taken   order.EventID // how far what was taken reaches
	gap     bool          // events after that are missing
	fallen  bool
}

// Open begins a stream, with the next event, or with those after an earlier one. It
// returns ErrFull when there is no place for it, and order.ErrUnavailable when nothing
// could be read before ctx ended.
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
	s.place, s.live = h.place, true
	if after != nil {
		s.place, s.live = *after, false
	}
	s.taken = s.place
	return s, nil
}

// setOf makes the ids of a filter quick to look up: every event is held to them.
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

// enter gives the stream a place, and says whether there was one.
func (h *Hub) enter(s *Stream) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.streams) >= h.MaxStreams {
		return false
	}
	h.streams[s] = struct{}{}
	return true
}

// Place is how far the stream has come.
func (s *Stream) Place() order.EventID {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.place
}

// Next returns what is new, and waits for it until ctx ends: then there are no changes.
// It returns ErrSlow when more has come than a stream may leave untaken.
func (s *Stream) Next(ctx context.Context) (Batch, error) {
	for ctx.Err() == nil {
		if !s.isLive() {
			if b, moved := s.readOn(ctx); moved {
				return b, nil
			}
			pause(ctx, retryWait)
			continue
		}
		if b, err := s.take(); err != nil || len(b.Changes) > 0 || b.Gap {
			return b, err
		}
		select {
		case <-s.more:
		case <-ctx.Done():
		}
	}
	return s.take()
}

// Close ends the stream and frees its place. It may be called twice.
func (s *Stream) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.streams, s)
	s.untaken = nil
}

func (s *Stream) isLive() bool {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.live
}

func (s *Stream) take() (Batch, error) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.fallen {
		return Batch{}, ErrSlow
	}
	return s.batch(), nil
}

// add has the stream take what is new to it. The hub's lock is held.
func (s *Stream) add(changes []*Change, place order.EventID) {
	if !s.live || s.fallen {
		return
	}
	for _, c := range changes {
		if c.id.Compare(s.place) > 0 && s.wants(c.Event) {
			s.untaken = append(s.untaken, c)
		}
	}
	if place.Compare(s.place) > 0 {
		s.place = place
	}
	if len(s.untaken) > maxUntaken {
		s.fallen, s.untaken = true, nil
		s.wake()
		return
	}
	if len(s.untaken) > 0 {
		s.wake()
	}
}

// skip has the stream go on where the hub is, with a gap. The hub's lock is held.
func (s *Stream) skip() {
	s.place, s.live, s.gap, s.untaken = s.hub.place, true, true, nil
	s.wake()
}

func (s *Stream) wake() {
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *Stream) wants(e order.Event) bool {
	return (len(s.statuses) == 0 || slices.Contains(s.statuses, e.Status)) && (s.orders == nil || s.orders[e.OrderID])
}

// readOn reads some of what the ledger has, until the stream has come as far as the
// hub, and says whether that took the stream any further. Few streams do so at the
// same time, so that many that come back at once leave Redis room for orders. One
// that finds a gap goes on where the hub is: what is oldest then is the next to leave.
func (s *Stream) readOn(ctx context.Context) (b Batch, moved bool) {
	select {
	case s.hub.readers <- struct{}{}:
		defer func() { <-s.hub.readers }()
	case <-ctx.Done():
		return Batch{}, false
	}
	after := s.Place()
	events, place, err := s.hub.books.EventsAfter(ctx, after, streamEntries, 0)
	if err != nil {
		return Batch{}, false
	}
	// Asked afterwards, as events may have left between two questions.
	oldest, newest, err := s.hub.books.Reach(ctx)
	if err != nil {
		return Batch{}, false
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if !kept(after, oldest, newest) {
		s.skip()
		return s.batch(), true
	}
	for _, c := range changesOf(events) {
		if s.wants(c.Event) {
			s.untaken = append(s.untaken, c)
		}
	}
	s.place, s.live = place, place.Compare(s.hub.place) >= 0
	return s.batch(), s.live || place != after
}

// batch takes what there is. The hub's lock is held.
func (s *Stream) batch() Batch {
	b := Batch{Changes: s.untaken, Place: s.place, Gap: s.gap, After: s.taken}
	s.untaken, s.gap, s.taken = nil, false, s.place
	return b
}
