package live

import (
	"context"
	"slices"

	"orderprocessor/internal/order"
)

// Await returns a channel that is closed when the order has, or may have, reached an
// outcome after the call. The caller reads the order once at the beginning and again when
// the channel is closed. The returned function ends the wait and is called once. Await
// returns ErrFull when too many wait, and order.ErrUnavailable when the order's book could
// not be read before ctx ended; it needs no other book.
func (h *Hub) Await(ctx context.Context, orderID string) (settled <-chan struct{}, stop func(), err error) {
	c, b := make(chan struct{}), h.books[order.BookOf(orderID, len(h.books))]
	if !b.waitFor(orderID, c) {
		return nil, nil, ErrFull
	}
	b.want()
	if err := h.until(ctx, func() bool { return b.reading }); err != nil {
		b.leave(orderID, c)
		return nil, nil, err
	}
	return c, func() { b.leave(orderID, c) }, nil
}

func (b *book) waitFor(orderID string, c chan struct{}) bool {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	if b.hub.waiting >= b.hub.MaxWaits {
		return false
	}
	b.hub.waiting++
	b.waiting++
	b.waits[orderID] = append(b.waits[orderID], c)
	return true
}

func (b *book) leave(orderID string, c chan struct{}) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.hub.waiting--
	b.waiting--
	left := slices.DeleteFunc(b.waits[orderID], func(other chan struct{}) bool { return other == c })
	if b.waits[orderID] = left; len(left) == 0 {
		delete(b.waits, orderID)
	}
}

// settled ends the waits for an order. The hub's lock is held.
func (b *book) settled(orderID string) {
	for _, c := range b.waits[orderID] {
		close(c)
	}
	delete(b.waits, orderID)
}
