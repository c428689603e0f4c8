package api

import "sync"

// batchPlaces are the places for batches that are held at the same time. It is
// safe for concurrent use.
type batchPlaces struct {
	mu       sync.Mutex
	taken    int
	byCaller map[string]int
}

// enter takes a place, and says whether there was one. Where callers are told
// apart, none may hold them all.
func (p *batchPlaces) enter(caller string, apart bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= maxBatches || (apart && p.byCaller[caller] >= maxBatchesOfKey) {
		return false
	}
	p.taken++
	p.byCaller[caller]++
	return true
}

// leave gives a place back.
func (p *batchPlaces) leave(caller string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.byCaller[caller]--; p.byCaller[caller] == 0 {
		delete(p.byCaller, caller)
	}
}
