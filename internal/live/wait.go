package live

import (
	"context"
	"slices"
)

// Await returns a channel that is closed when the order has met an outcome from now
// on, or may have. Whoever waits looks at the order afterwards, and once at the
// beginning. The returned function ends the waiting; it is called once. Await returns
// ErrFull when there is no place for one more, and order.ErrUnavailable when nothing
// could be read before ctx ended.
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

// settled tells those who wait for an order. The hub's lock is held.
func (h *Hub) settled(orderID string) {
	for _, c := range h.waits[orderID] {
		close(c)
	}
	delete(h.waits, orderID)
}
