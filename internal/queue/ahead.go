package queue

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// leaseTime is how long a task belongs to its worker, as Asynq counts it.
	leaseTime = 30 * time.Second
	// aheadTime is how far ahead tasks are fetched: what the worker begins in that
	// time at its present pace. It must be longer than a fetch takes.
	aheadTime = 10 * time.Millisecond
	// maxFetch bounds the tasks of one fetch: half a millisecond of Redis.
	maxFetch = 200
	// maxAge is how long a task may wait here. Nobody renews its lease, another
	// worker could have it, and its queue may have been paused.
	maxAge = time.Second
	// maxQuestion is how long Asynq waits for the answer to one question for a task at
	// most: it counts the lease of what it gets from when it asked.
	maxQuestion = time.Second
	// fetchTimeout bounds one fetch. What it takes without an answer comes back when
	// its lease is found not to be renewed.
	fetchTimeout = 5 * time.Second
)

// errNoTask is what Redis answers Asynq for a queue without a task.
const errNoTask = redis.Nil

// ahead holds the tasks that a worker has fetched ahead, for all its lanes: one
// Asynq server fetches one task at a time, a round trip each, and a worker could not
// begin more orders than it has round trips.
//
// A lane that asks for a task takes it from here, waits while there is none, and
// fetches for itself and the others when there may be more. A task that waits here
// belongs to this worker as if it were being worked: one that waits too long goes
// back, and so do all when the worker stops; when it is killed, they are found as
// strays.
type ahead struct {
	rdb    redis.UniversalClient
	slots  int
	log    *slog.Logger
	maxAge time.Duration

	mu       sync.Mutex
	queues   map[order.Queue]*fetched
	changed  chan struct{} // closed when something has changed
	running  int           // orders that are being worked
	held     bool
	stopped  bool
	fetching sync.WaitGroup
}

// fetched is what there is of one queue.
type fetched struct {
	tasks []ticket // the oldest first
	// empty says that there was nothing more in the queue when it was asked last.
	empty bool
	// asking says that a fetch is under way.
	asking bool
	// wanted is how many tasks it asks for.
	wanted int
	// woken counts how often the queue was said to have tasks again.
	woken int
	// begun counts the orders taken since the pace was measured last.
	begun int
	// pace is how many are taken in aheadTime.
	pace int
}

// ticket is a task that was fetched.
type ticket struct {
	id      string
	message string
	lease   string // as Redis has it
	at      time.Time
}

func newAhead(rdb redis.UniversalClient, slots int, log *slog.Logger) *ahead {
	a := &ahead{
		rdb: rdb, slots: slots, log: log, maxAge: maxAge,
		queues: map[order.Queue]*fetched{}, changed: make(chan struct{}),
	}
	for _, q := range order.Queues() {
		a.queues[q] = &fetched{}
	}
	return a
}

// take returns the message of the oldest task of a queue, or errNoTask: at once if
// one of the other queues of the lane may have one, and else after maxQuestion. It
// returns another error when Redis could not be asked.
func (a *ahead) take(q order.Queue, lane []order.Queue) (message string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := time.Now()
	for own := a.queues[q]; !a.stopped && time.Since(asked) < maxQuestion; {
		switch {
		case a.held, own.stale(a.maxAge):
			a.wait()
		case len(own.tasks) > 0:
			return a.pop(q, own), nil
		case own.asking && a.elsewhere(q, lane):
			return "", errNoTask
		case own.asking:
			a.wait()
		case !own.empty:
			if err := a.fetch(q, own); err != nil {
				return "", err
			}
		case a.elsewhere(q, lane):
			return "", errNoTask
		default:
			a.wait()
		}
	}
	return "", errNoTask
}

// pop takes the oldest task, and sees to it that there will be more.
func (a *ahead) pop(q order.Queue, own *fetched) string {
	first := own.tasks[0]
	own.tasks = own.tasks[1:]
	own.begun++
	if len(own.tasks) < own.pace/2 && !own.empty && !own.asking {
		own.asking = true
		a.fetching.Go(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			_ = a.fetch(q, own) // who finds no task asks again
		})
	}
	return first.message
}

// stale says whether the oldest task has waited for too long, perhaps because the
// machine stood still: it may be another worker's by now, and goes back.
func (f *fetched) stale(age time.Duration) bool {
	return len(f.tasks) > 0 && time.Now().Round(0).Sub(f.tasks[0].at) > age
}

// elsewhere says whether there may be a task in another one of the queues.
func (a *ahead) elsewhere(q order.Queue, queues []order.Queue) bool {
	for _, name := range queues {
		other := a.queues[name]
		if name != q && (len(other.tasks) > 0 || !other.empty && !other.asking) {
			return true
		}
	}
	return false
}

// wait waits until something has changed. The lock is open meanwhile.
func (a *ahead) wait() {
	changed := a.changed
	a.mu.Unlock()
	<-changed
	a.mu.Lock()
}

// announce tells everybody who waits that something has changed.
func (a *ahead) announce() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// fetch asks Redis for tasks. The lock is open meanwhile.
func (a *ahead) fetch(q order.Queue, own *fetched) error {
	own.asking = true
	a.fetching.Add(1)
	defer a.fetching.Done()
	n, woken := a.room(own), own.woken
	own.wanted = n
	a.mu.Unlock()
	tasks, taken, err := fetch(a.rdb, q, n)
	a.mu.Lock()
	own.asking, own.wanted = false, 0
	own.tasks = append(own.tasks, tasks...)
	// A Redis that is away is asked again at the next look.
	own.empty = err != nil || taken < n && woken == own.woken
	a.announce()
	return err
}

// room is how many tasks are worth fetching: as many as there are free slots, and
// what the present pace takes soon.
func (a *ahead) room(own *fetched) int {
	free := a.slots - a.running
	for _, other := range a.queues {
		free -= len(other.tasks) + other.wanted
	}
	return min(max(max(free, 0)+max(own.pace-len(own.tasks), 0), 1), maxFetch)
}

// hold keeps everybody from taking tasks while it is on.
func (a *ahead) hold(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held = on
	a.announce()
}

func (a *ahead) holds() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held
}

// work counts the orders that are being worked.
func (a *ahead) work(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running += n
}

// wake says that there may be tasks in these queues again.
func (a *ahead) wake(queues ...order.Queue) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, q := range queues {
		own := a.queues[q]
		own.empty = false
		own.woken++
	}
	a.announce()
}

// fetch takes tasks off a queue, oldest first, and says how many it took: some may
// not be readable.
func fetch(rdb redis.UniversalClient, q order.Queue, n int) (tasks []ticket, taken int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	now := time.Now().Round(0) // by the wall clock, which goes on when the machine sleeps
	lease := leaseText(now.Add(leaseTime))
	keys := []string{queueKey(q, "active"), queueKey(q, "lease"), queueKey(q, "pending"), queueKey(q, "paused")}
	answer, err := fetchScript.Run(ctx, rdb, keys, lease, queueKey(q, "t:"), n).Slice()
	if err != nil {
		return nil, 0, err
	}
	for i := 1; i+1 < len(answer); i += 2 {
		id, _ := answer[i].(string)
		message, _ := answer[i+1].(string)
		tasks = append(tasks, ticket{id: id, message: message, lease: lease, at: now})
	}
	count, _ := answer[0].(int64)
	return tasks, int(count), nil
}
