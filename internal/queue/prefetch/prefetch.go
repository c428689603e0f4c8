// Package prefetch lets Asynq hand over more orders a second than it can on its own.
// It is the only package that interposes on Asynq.
//
// An asynq.Server fetches one task and acknowledges one task per round trip, and an
// asynq.Client adds one. This package fetches, acknowledges and adds many in one
// script, which saves CPU time (the scenario drain of the bench suite measures how much),
// and wakes idle workers at once instead of at their next poll.
//
// Asynq runs private Lua scripts, by their SHA-1, on the Redis client that it was
// given. The clients of this package pass on every command but these scripts:
//
//	enqueue   added to the Batch of the context, whose tasks one script adds per queue
//	dequeue   answered from a buffer of tasks that one script has fetched
//	done      shared with the tasks that are done at the same time; repeated safely
//	retry, archive, requeue   repeated safely when Asynq's context has been cancelled
//	forward       answered with nothing: Run forwards due tasks for all servers
//	list expired  answered with nothing while Hold is on
//
// With several books, each queue is one of Asynq's for each book. A server knows the queues
// alone: it is given tasks of all books, and the message of each names the queue of its
// book. What a server does for its queues by the clock is then answered with nothing, as
// nothing is in them, and recovery requeues orphans.
// No book waits for the Redis node of another one that is away: fetches are independent of
// each other, and heartbeats and the ends of deliveries are answered in time.
//
// A buffered task is active in Redis and has a lease, as if it were being worked.
// A task that waits in the buffer for a second is requeued, and so are all when Run
// ends. The tasks of a killed worker become orphans, which recovery requeues. Each
// script leaves in Redis what Asynq's own scripts would; tests compare the two.
//
// The SHA-1s belong to one version of Asynq. Supported reports whether the program
// is linked with it; if not, package queue runs plain Asynq servers and clients, as
// it does with ORDERS_WORKER_PREFETCH=false. To remove this package, delete its
// directory and the fields Consumer.prefetch and Producer.batches with their uses:
// nothing in Redis changes.
package prefetch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// pollInterval is how often empty queues are looked at without a wake-up. It finds tasks
	// that were not announced: requeued, or of a resumed queue.
	pollInterval = 250 * time.Millisecond
	// paceInterval is how often the pace is measured and old tasks are requeued.
	paceInterval = 50 * time.Millisecond
	// requeueTimeout bounds requeuing the tasks of one queue.
	requeueTimeout = 2 * time.Second
)

// Config is what a Prefetcher needs. All fields but Names are required.
type Config struct {
	// Slots is how many orders the worker processes at once, over all servers.
	Slots int
	// Names are the names by which Asynq knows each queue, one for each book. Nil is for one
	// book, where each queue has its own name.
	Names map[order.Queue][]string
	// Running returns how many orders it is processing. It must be safe for
	// concurrent use and not block.
	Running func() int
	// Requeue puts active tasks back in front of a queue, which is named as Asynq knows it,
	// the first of them to be fetched next. It leaves alone any task whose lease has
	// changed.
	Requeue func(ctx context.Context, name string, tasks []Task) error
	// Log receives warnings.
	Log *slog.Logger
}

// Task is an active task with the lease it had when it was fetched.
type Task struct {
	ID string
	// Lease is the score of its lease in seconds since 1970, as Redis writes it;
	// empty for none.
	Lease string
}

// Prefetcher holds tasks fetched for the servers of one worker. It is safe for
// concurrent use.
type Prefetcher struct {
	rdb       redis.UniversalClient
	cfg       Config
	acks      acknowledger
	maxAge    time.Duration
	fetching  sync.WaitGroup
	requeuing sync.WaitGroup

	mu      sync.Mutex // guards what follows, and the fields of each queue
	queues  map[order.Queue]*queue
	buffers map[string]*buffer // by the name that Asynq knows
	changed chan struct{}      // closed and replaced at each change
	held    bool
	limit   int // tasks that may still be taken, or Unlimited
	stopped bool
}

// New returns a prefetcher on rdb, which stays the caller's to close.
func New(rdb redis.UniversalClient, cfg Config) *Prefetcher {
	p := &Prefetcher{
		rdb: rdb, cfg: cfg, maxAge: maxAge, changed: make(chan struct{}), limit: Unlimited,
		queues: map[order.Queue]*queue{}, buffers: map[string]*buffer{},
	}
	for _, q := range order.Queues() {
		names := cfg.Names[q]
		if len(names) == 0 {
			names = []string{string(q)}
		}
		p.queues[q] = newQueue(q, names)
		for _, b := range p.queues[q].buffers {
			p.buffers[b.name] = b
		}
	}
	p.acks = newAcknowledger(rdb, p.buffers)
	return p
}

// Client returns the Redis client for an asynq.Server that takes tasks from these
// queues. The server needs no poll interval of its own: when all queues are empty,
// its question for a task is answered after a second, or once there is a task.
func (p *Prefetcher) Client(queues ...order.Queue) redis.UniversalClient {
	return &serverClient{UniversalClient: p.rdb, queues: queues, prefetcher: p, beats: beats{last: map[string]*beat{}}}
}

// Run wakes the servers when there are tasks, and requeues tasks that waited too
// long, until ctx ends. Then no server gets a task any more, and Run returns when all
// buffered tasks are requeued. It must run while servers do, and may be called once.
func (p *Prefetcher) Run(ctx context.Context) {
	var listening sync.WaitGroup
	listening.Go(func() { p.listen(ctx) })
	p.poll(ctx)
	p.stop()
	listening.Wait()
}

// poll does what is due by the clock until ctx ends: it looks for tasks that were not
// announced and for those that are due, measures the pace, and requeues old tasks. It does
// for all servers what each of Asynq's would do for itself, queue after queue.
func (p *Prefetcher) poll(ctx context.Context) {
	var polling sync.WaitGroup
	polling.Go(func() { every(ctx, pollInterval, p.wakePending) })
	polling.Go(func() { every(ctx, forwardInterval, p.forwardDue) })
	every(ctx, paceInterval, func(context.Context) { p.requeue(p.takeOld(p.measurePace())) })
	polling.Wait()
}

// Hold keeps the servers from taking tasks while it is on: from the buffer, from
// Redis, and from the sets of due or expired tasks. Orders being processed go on.
func (p *Prefetcher) Hold(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = on
	p.broadcast()
}

// hasBooks reports whether there are several books.
func (p *Prefetcher) hasBooks() bool { return len(p.buffers) > len(p.queues) }

func (p *Prefetcher) isHeld() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// stop ends the waits of all servers and requeues all tasks.
func (p *Prefetcher) stop() {
	p.mu.Lock()
	p.stopped = true
	p.broadcast()
	p.mu.Unlock()
	p.fetching.Wait()
	p.requeue(p.takeOld(0))
	p.requeuing.Wait()
}

// requeue starts to requeue tasks that were taken out of the buffers, in their old order.
// A task that could not be requeued becomes an orphan.
func (p *Prefetcher) requeue(old map[string][]fetched) {
	for name, tasks := range old {
		p.requeuing.Go(func() { p.requeueOf(name, tasks) })
	}
}

func (p *Prefetcher) requeueOf(name string, tasks []fetched) {
	active := make([]Task, len(tasks))
	for i, t := range tasks {
		active[i] = t.Task
	}
	ctx, cancel := context.WithTimeout(context.Background(), requeueTimeout)
	defer cancel()
	if err := p.cfg.Requeue(ctx, name, active); err != nil {
		p.cfg.Log.Warn("prefetched orders could not be requeued; recovery requeues them when their leases expire",
			"queue", name, "order_id", active[0].ID, "orders", len(active), "error", err)
	}
}
