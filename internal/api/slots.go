package api

import "sync"

// slots bound the batches that are in memory at the same time, or the exports that run.
// They are safe for concurrent use.
type slots struct {
	most      int // of all callers
	mostOfKey int // of one caller, where callers have keys

	mu       sync.Mutex
	used     int
	byCaller map[string]int
}

func newSlots(most, mostOfKey int) *slots {
	return &slots{most: most, mostOfKey: mostOfKey, byCaller: map[string]int{}}
}

// acquire reports whether there was a free slot, which the caller then has to release.
// Where callers have keys, no caller may use all slots.
func (s *slots) acquire(caller string, keyed bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used >= s.most || (keyed && s.byCaller[caller] >= s.mostOfKey) {
		return false
	}
	s.used++
	s.byCaller[caller]++
	return true
}

func (s *slots) release(caller string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	if s.byCaller[caller]--; s.byCaller[caller] == 0 {
		delete(s.byCaller, caller)
	}
}
