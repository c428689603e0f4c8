package prefetch

import (
	"context"
	_ "embed"
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

// buffer is the tasks fetched from one queue, and what is known of the queue. The
// mutex of the Prefetcher guards it.
type buffer struct {
	queue order.Queue
	call  dequeueCall
	tasks []fetched // oldest first
	// empty is set when a fetch got all tasks there were, until the next wake-up.
	empty bool
	// fetching is set while a fetch is under way, for as many tasks as wanted.
	fetching bool
	wanted   int
	// wakeUps counts the wake-ups of the queue. One that comes during a fetch must
	// not be forgotten when that fetch finds the queue empty.
	wakeUps int
	// begun counts the tasks taken since the pace was measured.
	begun int
	// pace is how many tasks are taken in the time of lookahead.
	pace int
}

// fetched is a task in a buffer.
type fetched struct {
	Task
	message string    // as Asynq decodes it
	at      time.Time // when it was fetched, by the wall clock
}

// dequeueCall is how Asynq calls its dequeue script for one queue.
type dequeueCall struct {
	keys   []string // pending, paused, active, lease
	prefix string   // of the keys of tasks
}

// action is what a server that asks for a task does next.
type action int

const (
	takeTask   action = iota // take the oldest task of the buffer
	fetchTasks               // fetch tasks into the buffer
	await                    // wait for a change of any buffer
	answerNone               // answer that the queue is empty: another may have a task
)

// next returns the message of the oldest task of a queue. It returns errNoTask when
// there is none: at once if one of the server's other queues may have a task, else
// after maxWait. Any other error is that of Redis.
func (p *Prefetcher) next(q order.Queue, call dequeueCall, queues []order.Queue) (message string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.buffers[q]
	own.call = call
	for asked := time.Now(); !p.stopped && time.Since(asked) < maxWait; {
		switch p.decide(own, queues) {
		case takeTask:
			return p.take(own), nil
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

func (p *Prefetcher) decide(own *buffer, queues []order.Queue) action {
	switch {
	case p.held, p.limit == 0, p.isStale(own):
		return await
	case len(own.tasks) > 0:
		return takeTask
	case !own.fetching && !own.empty:
		return fetchTasks
	case p.mayHaveTask(queues, own.queue):
		return answerNone
	default:
		return await
	}
}

// isStale reports whether the oldest task is older than maxAge, perhaps because the
// machine was suspended. It may be another worker's by now, and is requeued soon.
func (p *Prefetcher) isStale(own *buffer) bool {
	return len(own.tasks) > 0 && wallClock().Sub(own.tasks[0].at) > p.maxAge
}

// wallClock returns the time without its monotonic part, which stops while the
// machine is suspended.
func wallClock() time.Time { return time.Now().Round(0) }

// mayHaveTask reports whether any of the queues but one has a buffered task, or could
// be fetched from.
func (p *Prefetcher) mayHaveTask(queues []order.Queue, but order.Queue) bool {
	for _, q := range queues {
		other := p.buffers[q]
		if q != but && (len(other.tasks) > 0 || !other.empty && !other.fetching) {
			return true
		}
	}
	return false
}

// take removes the oldest task from the buffer, and starts a fetch when fewer are left
// than half of what the pace needs.
func (p *Prefetcher) take(own *buffer) (message string) {
	oldest := own.tasks[0]
	own.tasks = own.tasks[1:]
	own.begun++
	if p.limit > 0 {
		p.limit--
	}
	if p.limit != 0 && len(own.tasks) < own.pace/2 && !own.empty && !own.fetching {
		own.fetching = true
		p.fetching.Go(func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			_ = p.fetchUnlocked(own) // a server that finds no task fetches itself
		})
	}
	return oldest.message
}

// fetchUnlocked fetches tasks into the buffer. It unlocks mu while it asks Redis.
func (p *Prefetcher) fetchUnlocked(own *buffer) error {
	p.fetching.Add(1)
	defer p.fetching.Done()
	own.fetching, own.wanted = true, p.room(own)
	n, call, wakeUps := own.wanted, own.call, own.wakeUps

	p.mu.Unlock()
	tasks, count, err := fetch(p.rdb, call, n)
	p.mu.Lock()

	own.fetching, own.wanted = false, 0
	own.tasks = append(own.tasks, tasks...)
	// After an error, the next wake-up or poll asks Redis again.
	own.empty = err != nil || count < n && wakeUps == own.wakeUps
	p.broadcast()
	return err
}

// room returns how many tasks are worth fetching: one for each free slot, and what
// the present pace takes during lookahead; no more than the limit if there is one.
func (p *Prefetcher) room(own *buffer) int {
	free := p.cfg.Slots - p.cfg.Running()
	for _, b := range p.buffers {
		free -= len(b.tasks) + b.wanted
	}
	return max(p.allowed(min(max(free, 0)+max(own.pace-len(own.tasks), 0), maxFetch)), 1)
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

// wake makes servers fetch from these queues again.
func (p *Prefetcher) wake(queues ...order.Queue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range queues {
		p.buffers[q].empty = false
		p.buffers[q].wakeUps++
	}
	p.broadcast()
}

// measurePace updates the pace of each queue, as the mean of the present and the last
// one, and returns the age from which tasks are old.
func (p *Prefetcher) measurePace() (maxAge time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.buffers {
		now := b.begun * int(lookahead) / int(paceInterval)
		b.pace, b.begun = (b.pace+now)/2, 0
	}
	return p.maxAge
}

// takeOld empties each buffer whose oldest task is at least this old. The younger
// tasks go with the oldest: requeued later, they would be put in front of it.
func (p *Prefetcher) takeOld(age time.Duration) map[order.Queue][]fetched {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, now := map[order.Queue][]fetched{}, wallClock()
	for q, b := range p.buffers {
		if len(b.tasks) > 0 && now.Sub(b.tasks[0].at) >= age {
			old[q], b.tasks = b.tasks, nil
		}
	}
	return old
}

// fetch takes up to n tasks off a queue, oldest first. count is how many it took: the
// messages of some may be missing.
func fetch(rdb redis.UniversalClient, call dequeueCall, n int) (tasks []fetched, count int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	now := wallClock()
	lease := strconv.FormatInt(now.Add(leaseTime).Unix(), 10)
	answer, err := fetchScript.Run(ctx, rdb, call.keys, lease, call.prefix, n).Slice()
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
