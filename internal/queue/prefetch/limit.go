package prefetch

// Unlimited is the limit that lets the servers take any number of tasks.
const Unlimited = -1

// Limit lets the servers take n more tasks, or any number if n is below 0. It returns how
// many of the tasks of the limit before they have not taken; 0 if there was none.
func (p *Prefetcher) Limit(n int) (unused int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	unused = max(p.limit, 0)
	if p.limit = max(n, Unlimited); p.limit != 0 {
		p.broadcast()
	}
	return unused
}

// Extend lets the servers take n more tasks than the limit says, if there is one.
func (p *Prefetcher) Extend(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit >= 0 {
		p.limit += n
		p.broadcast()
	}
}

// allowed bounds a number of tasks to fetch by the limit. The caller holds mu.
func (p *Prefetcher) allowed(n int) int {
	if p.limit < 0 {
		return n
	}
	left := p.limit
	for _, q := range p.queues {
		left -= q.buffered + q.wanted
	}
	return min(n, left)
}
