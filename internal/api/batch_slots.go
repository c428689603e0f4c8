package api

import "sync"

// batchSlots bounds the batches that are in memory at the same time. It is safe for
// concurrent use.
type batchSlots struct {
	mu       sync.Mutex
	used     int
	byCaller map[string]int
}

func newBatchSlots() *batchSlots { return &batchSlots{byCaller: map[string]int{}} }

// acquire reports whether there was a free slot, which the caller then has to release.
// Where callers have keys, no caller may use all slots.
func (s *batchSlots) acquire(caller string, keyed bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used >= maxBatches || (keyed && s.byCaller[caller] >= maxBatchesOfKey) {
		return false
	}
	s.used++
	s.byCaller[caller]++
	return true
}

func (s *batchSlots) release(caller string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	if s.byCaller[caller]--; s.byCaller[caller] == 0 {
		delete(s.byCaller, caller)
	}
}
