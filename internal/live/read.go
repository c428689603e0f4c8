package live

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

// Run reads events and hands them on until ctx ends, while somebody follows or waits: reading
// costs Redis as much as a script of each order. While Redis is away it asks again and
// again. It may be called once.
func (h *Hub) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if h.rest() {
			select {
			case <-h.wanted:
			case <-ctx.Done():
			}
			continue
		}
		err := h.step(ctx)
		if err != nil && ctx.Err() == nil {
			h.complain(ctx, err)
			pause(ctx, retryWait)
		}
		if err == nil {
			h.complained = false
		}
	}
	return nil
}

// complain logs once why events cannot be read. A Redis that is away is told elsewhere.
func (h *Hub) complain(ctx context.Context, err error) {
	if !h.complained && !errors.Is(err, order.ErrUnavailable) {
		h.Log.WarnContext(ctx, "events cannot be read", "error", err)
		h.complained = true
	}
}

// rest says whether nobody follows or waits. The hub forgets where it is then.
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

// step reads once and hands on what there is.
func (h *Hub) step(ctx context.Context) error {
	after, known := h.where()
	if !known {
		return h.begin(ctx)
	}
	events, place, err := h.books.EventsAfter(ctx, after, hubEntries, readWait)
	if err != nil {
		return err
	}
	if len(events) < hubEntries && time.Since(h.checked) < checkInterval {
		h.handOn(changesOf(events), place)
		return nil
	}
	// Asked afterwards, as events may have left between two questions.
	oldest, newest, err := h.books.Reach(ctx)
	if err != nil {
		return err
	}
	h.checked = time.Now()
	if kept(after, oldest, newest) {
		h.handOn(changesOf(events), place)
	} else {
		h.lose(newest)
	}
	return nil
}

// kept says whether all events after a place are in the books: none has left, and the
// books have not lost the place itself.
func kept(place, oldest, newest order.EventID) bool {
	return place.Compare(oldest) >= 0 && place.Compare(newest) <= 0
}

func (h *Hub) where() (place order.EventID, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.place, h.reading
}

// begin has the hub read on after the newest event.
func (h *Hub) begin(ctx context.Context) error {
	_, newest, err := h.books.Reach(ctx)
	if err != nil {
		return err
	}
	h.checked = time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reading, h.place = true, newest
	close(h.began)
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

// lose has the hub read on at another place, because events have left the books unread
// or the books are not what they were. Streams are told of the gap, and waits end early.
func (h *Hub) lose(newest order.EventID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.place = newest
	for s := range h.streams {
		if s.live {
			s.skip()
		}
	}
	for id := range h.waits {
		h.settled(id)
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
