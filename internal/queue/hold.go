package queue

import (
	"context"
	"sync"
)

// hold is whether a consumer is kept from taking orders. It is safe for concurrent use.
type hold struct {
	mu      sync.Mutex
	on      bool
	changed chan struct{} // closed and replaced at each change
}

func newHold() *hold { return &hold{changed: make(chan struct{})} }

func (h *hold) set(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.on != on {
		h.on = on
		close(h.changed)
		h.changed = make(chan struct{})
	}
}

func (h *hold) state() (on bool, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.on, h.changed
}

// await returns true once the hold is on, or off. It returns false when ctx ends first.
func (h *hold) await(ctx context.Context, on bool) bool {
	for ctx.Err() == nil {
		now, changed := h.state()
		if now == on {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return false
}
