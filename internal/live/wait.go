package live

import (
	"context"
	"slices"
)

// Await returns a channel that is closed when the order has, or may have, reached an
// outcome after the call. The caller reads the order once at the beginning and again when
// the channel is closed. The returned function ends the wait and is called once. Await
// returns ErrFull when too many wait, and order.ErrUnavailable when the ledger could not
// be read before ctx ended.
func (h *Hub) Await(ctx context.Context, orderID string) (settled <-chan struct{}, stop func(), err error) {
	c := make(chan struct{})
	if !h.waitFor(orderID, c) {
		return nil, nil, ErrFull
	}
	if err := h.join(ctx); err != nil {
		h.leave(orderID, c)
		return nil, nil, err
	}
	return c, func() { h.leave(orderID, c) }, nil
}

func (h *Hub) waitFor(orderID string, c chan struct{}) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting >= h.MaxWaits {
		return false
	}
	h.waiting++
	h.waits[orderID] = append(h.waits[orderID], c)
	return true
}

func (h *Hub) leave(orderID string, c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting--
	left := slices.DeleteFunc(h.waits[orderID], func(other chan struct{}) bool { return other == c })
	if h.waits[orderID] = left; len(left) == 0 {
		delete(h.waits, orderID)
	}
}

// settled ends the waits for an order. The hub's lock is held.
func (h *Hub) settled(orderID string) {
	for _, c := range h.waits[orderID] {
		close(c)
	}
	delete(h.waits, orderID)
}
