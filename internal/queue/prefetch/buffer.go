package prefetch

import (
	"cmp"
	"context"
	_ "embed"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// leaseTime is how long a task belongs to its worker without a renewal, as in
	// Asynq.
	leaseTime = 30 * time.Second
	// lookahead is how much work is fetched ahead of free slots: what the worker
	// begins in that time at its present pace. It must be longer than a fetch takes.
	lookahead = 10 * time.Millisecond
	// maxFetch bounds the tasks of one fetch, which take Redis half a millisecond.
	maxFetch = 200
	// maxAge is how long a task may wait in the buffer. Nobody renews its lease, other
	// workers may be idle, and its queue may have been paused.
	maxAge = time.Second
	// maxWait bounds the wait of a server for a task. Asynq counts the lease of a task
	// from when it asked, so an answer must come long before a lease ends.
	maxWait = time.Second
	// fetchTimeout bounds one fetch. Tasks of a fetch whose answer is lost become
	// orphans.
	fetchTimeout = 5 * time.Second
)

//go:embed scripts/fetch.lua
var fetchLua string

//nolint:gochecknoglobals // compiled once, never changed
var fetchScript = redis.NewScript(fetchLua)

// errNoTask is what Redis answers Asynq for a queue without a task.
const errNoTask = redis.Nil

// buffer is the tasks fetched from a queue of one book. The mutex of the Prefetcher guards
// it.
type buffer struct {
	queue *queue
	book  int
	name  string    // of the queue of this book, as Asynq knows it
	tasks []fetched // oldest first
	// wanted is how many tasks are being fetched, 0 once that takes long.
	wanted int
	// full is set when the last fetch got as many tasks as it wanted.
	full bool
	// fetches counts the fetches.
	fetches int
	// wakeUps counts the wake-ups. One that comes during a fetch must not be forgotten when
	// that fetch finds the queue empty.
	wakeUps int
}

// fetched is a task in a buffer.
type fetched struct {
	Task
	message string    // as Asynq decodes it
	at      time.Time // when it was fetched, by the wall clock
}

// action is what a server that asks for a task does next.
type action int

const (
	takeTask   action = iota // take the oldest task of the buffer
	fetchTasks               // fetch tasks into the buffer
	await                    // wait for a change of any buffer
	answerNone               // answer that the queue is empty: another may have a task
)

// next returns the message of the next task of a queue. It returns errNoTask when
// there is none: at once if one of the server's other queues may have a task, else
// after maxWait. Any other error is that of Redis.
func (p *Prefetcher) next(q order.Queue, queues []order.Queue) (message string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.queues[q]
	for asked := time.Now(); !p.stopped && time.Since(asked) < maxWait; {
		switch p.decide(own, queues) {
		case takeTask:
			return p.take(own.ready(p.maxAge)), nil
		case fetchTasks:
			if err := p.fetchUnlocked(own); err != nil {
				return "", err
			}
		case await:
			p.awaitUnlocked()
		case answerNone:
			return "", errNoTask
		}
	}
	return "", errNoTask
}

// decide returns what a server does that asks for a task of a queue.
func (p *Prefetcher) decide(own *queue, queues []order.Queue) action {
	switch {
	case p.held, p.limit == 0:
		return await
	case own.ready(p.maxAge) != nil:
		return takeTask
	case p.fetchable(own, own.filled) != nil:
		return fetchTasks
	case slices.ContainsFunc(queues, func(q order.Queue) bool { return q != own.name && p.mayHaveTask(p.queues[q]) }):
		return answerNone
	default:
		return await
	}
}

// mayHaveTask reports whether a task of a queue is buffered, or could be fetched.
func (p *Prefetcher) mayHaveTask(q *queue) bool { return q.filled != 0 || p.fetchable(q, 0) != nil }

// fetchable returns the buffer that is fetched into next, nil if there is none. Of some
// books nothing is fetched.
func (p *Prefetcher) fetchable(q *queue, except bookSet) *buffer {
	return q.fetchable(except, p.room(q))
}

// wallClock returns the time without its monotonic part, which stops while the
// machine is suspended.
func wallClock() time.Time { return time.Now().Round(0) }

// take removes the oldest task from the buffer, and starts a fetch when fewer are left
// in its queue than half of what the pace needs.
func (p *Prefetcher) take(b *buffer) (message string) {
	q := b.queue
	oldest := q.take(b)
	if p.limit > 0 {
		p.limit--
	}
	if p.limit != 0 && q.buffered < q.pace/2 {
		if next := p.fetchable(q, 0); next != nil {
			p.startFetch(next, func(error) {}) // a server that finds no task fetches itself
		}
	}
	return oldest.message
}

// fetchUnlocked fetches tasks of a queue, until there are some or no fetch is left but slow
// ones. It unlocks mu meanwhile.
func (p *Prefetcher) fetchUnlocked(own *queue) (failed error) {
	for b := p.fetchable(own, own.filled); b != nil; b = p.fetchable(own, own.filled) {
		p.startFetch(b, func(err error) { failed = cmp.Or(err, failed) })
	}
	for own.ready(p.maxAge) == nil {
		if own.prompt() == 0 {
			return failed
		}
		p.awaitUnlocked()
	}
	return nil
}

// startFetch starts to fetch tasks into the buffer. The caller of it and of ended holds mu.
func (p *Prefetcher) startFetch(b *buffer, ended func(error)) {
	n, wakeUps := b.queue.share(b, p.room(b.queue)), b.wakeUps
	b.queue.beginFetch(b, n)
	stop := p.watch(b)
	p.fetching.Go(func() {
		tasks, count, err := fetch(p.rdb, b.name, n)
		stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		// After an error, the next wake-up or poll asks Redis again.
		b.queue.endFetch(b, tasks, err != nil || count < n && wakeUps == b.wakeUps, count == n)
		ended(err)
		p.broadcast()
	})
}

// watch notes when the fetch that begins is slow, if there are several books, until
// stop is called. The caller holds mu.
func (p *Prefetcher) watch(b *buffer) (stop func()) {
	b.fetches++
	if len(b.queue.buffers) == 1 {
		return func() {}
	}
	fetches := b.fetches
	timer := time.AfterFunc(slowAfter, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if b.fetches == fetches && b.queue.fetching.has(b.book) {
			b.queue.slowFetch(b)
			p.broadcast()
		}
	})
	return func() { timer.Stop() }
}

// room returns how many tasks are worth fetching, perhaps none: one for each free slot, and
// what the present pace takes during lookahead; no more than the limit if there is one.
func (p *Prefetcher) room(own *queue) int {
	free := p.cfg.Slots - p.cfg.Running()
	for _, q := range p.queues {
		free -= q.buffered + q.wanted
	}
	return p.allowed(min(max(free, 0)+max(own.pace-own.buffered, 0), maxFetch))
}

// awaitUnlocked waits for the next broadcast. It unlocks mu meanwhile.
func (p *Prefetcher) awaitUnlocked() {
	changed := p.changed
	p.mu.Unlock()
	<-changed
	p.mu.Lock()
}

// broadcast ends all waits. The caller holds mu.
func (p *Prefetcher) broadcast() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// wake makes servers fetch from these queues again, which are named as Asynq knows them.
func (p *Prefetcher) wake(names ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		b := p.buffers[name]
		b.queue.wake(b)
	}
	p.broadcast()
}

// measurePace updates the pace of each queue, as the mean of the present and the last
// one, and returns the age from which tasks are old.
func (p *Prefetcher) measurePace() (maxAge time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.queues {
		now := q.begun * int(lookahead) / int(paceInterval)
		q.pace, q.begun = (q.pace+now)/2, 0
	}
	return p.maxAge
}

// takeOld empties each buffer whose oldest task is at least this old. The younger
// tasks go with the oldest: requeued later, they would be put in front of it.
func (p *Prefetcher) takeOld(age time.Duration) map[string][]fetched {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, now := map[string][]fetched{}, wallClock()
	for _, q := range p.queues {
		for left := q.filled; left != 0; {
			b := q.buffers[left.from(0)]
			left = left.without(b.book)
			if now.Sub(b.tasks[0].at) >= age {
				old[b.name] = q.takeAll(b)
			}
		}
	}
	return old
}

// fetch takes up to n tasks off a queue, oldest first. count is how many it took: the
// messages of some may be missing.
func fetch(rdb redis.UniversalClient, name string, n int) (tasks []fetched, count int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	now := wallClock()
	lease := strconv.FormatInt(now.Add(leaseTime).Unix(), 10)
	keys := []string{queueKey(name, "pending"), queueKey(name, "paused"), queueKey(name, "active"), queueKey(name, "lease")}
	answer, err := fetchScript.Run(ctx, rdb, keys, lease, queueKey(name, taskPrefix), n).Slice()
	if err != nil {
		return nil, 0, err
	}
	for i := 1; i+1 < len(answer); i += 2 {
		id, _ := answer[i].(string)
		message, _ := answer[i+1].(string)
		tasks = append(tasks, fetched{Task: Task{ID: id, Lease: lease}, message: message, at: now})
	}
	taken, _ := answer[0].(int64)
	return tasks, int(taken), nil
}
