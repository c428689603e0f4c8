package live

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

// Run reads events and delivers them until ctx ends. It reads only while there are streams
// or waits, because reading costs Redis as much as a script of each order. While Redis is
// unavailable it retries. It may be called once.
func (h *Hub) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if h.idle() {
			select {
			case <-h.wanted:
			case <-ctx.Done():
			}
			continue
		}
		err := h.step(ctx)
		if err != nil && ctx.Err() == nil {
			h.logOnce(ctx, err)
			pause(ctx, retryWait)
		}
		if err == nil {
			h.logged = false
		}
	}
	return nil
}

// logOnce logs why events cannot be read, unless Redis is unavailable, which is logged
// elsewhere.
func (h *Hub) logOnce(ctx context.Context, err error) {
	if !h.logged && !errors.Is(err, order.ErrUnavailable) {
		h.Log.WarnContext(ctx, "events cannot be read", "error", err)
		h.logged = true
	}
}

// idle reports whether there are neither streams nor waits. If so, the hub forgets its
// position.
func (h *Hub) idle() bool {
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

// step reads once and delivers the events.
func (h *Hub) step(ctx context.Context) error {
	after, known := h.current()
	if !known {
		return h.begin(ctx)
	}
	events, position, err := h.ledger.EventsAfter(ctx, after, hubEntries, readWait)
	if err != nil {
		return err
	}
	if len(events) < hubEntries && time.Since(h.checked) < checkInterval {
		h.deliver(wrap(events), position)
		return nil
	}
	// Checked after the read, because events may be removed between the two.
	oldest, newest, err := h.ledger.Reach(ctx)
	if err != nil {
		return err
	}
	h.checked = time.Now()
	if kept(after, oldest, newest) {
		h.deliver(wrap(events), position)
	} else {
		h.jump(newest)
	}
	return nil
}

// kept reports whether the ledger has all events after a position, and has had the
// position itself.
func kept(position, oldest, newest order.EventID) bool {
	return position.Compare(oldest) >= 0 && position.Compare(newest) <= 0
}

func (h *Hub) current() (position order.EventID, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.position, h.reading
}

// begin sets the position to the newest event.
func (h *Hub) begin(ctx context.Context) error {
	_, newest, err := h.ledger.Reach(ctx)
	if err != nil {
		return err
	}
	h.checked = time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reading, h.position = true, newest
	close(h.began)
	return nil
}

func (h *Hub) deliver(events []*Event, position order.EventID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.position = position
	for s := range h.streams {
		s.add(events, position)
	}
	for _, e := range events {
		if e.Status.Settled() {
			h.settled(e.OrderID)
		}
	}
}

// jump moves the hub to the newest event, because events were removed before they were
// read, or the ledger was replaced. Streams get a gap, and waits end early.
func (h *Hub) jump(newest order.EventID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.position = newest
	for s := range h.streams {
		if s.live {
			s.skip()
		}
	}
	for id := range h.waits {
		h.settled(id)
	}
}

func wrap(events []order.Event) []*Event {
	wrapped := make([]*Event, len(events))
	for i, e := range events {
		id, _ := order.ParseEventID(e.ID) // the ledger returns valid ids only
		wrapped[i] = &Event{Event: e, id: id}
	}
	return wrapped
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
