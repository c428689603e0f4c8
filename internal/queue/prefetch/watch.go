package prefetch

import (
	"context"
	_ "embed"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// askTimeout bounds a question about several books. Those that answer wait that long
	// for those that do not.
	askTimeout = 200 * time.Millisecond
	// forwardInterval is how often due tasks are looked for; Asynq keeps their times in
	// whole seconds.
	forwardInterval = 500 * time.Millisecond
	// forwardTimeout bounds the forwarding of what is due of one queue; the rest follows.
	forwardTimeout = time.Second
	// maxForward is how many tasks one script forwards, as in Asynq.
	maxForward = 100
)

//go:embed scripts/forward.lua
var forwardLua string

//nolint:gochecknoglobals // compiled once, never changed
var forwardScript = redis.NewScript(forwardLua)

// every calls step at once and at each interval until ctx ends.
func every(ctx context.Context, interval time.Duration, step func(context.Context)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		step(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// wakePending wakes the queues that were empty and have pending tasks, and ends the waits of
// all servers.
func (p *Prefetcher) wakePending(ctx context.Context) {
	names := p.emptyBuffers()
	asked := make([]*redis.IntCmd, len(names))
	p.ask(ctx, func(pipe redis.Pipeliner) {
		for n, name := range names {
			asked[n] = pipe.LLen(ctx, queueKey(name, "pending"))
		}
	})
	var pending []string
	for n, answer := range asked {
		if answer.Val() > 0 {
			pending = append(pending, names[n])
		}
	}
	p.wake(pending...) // even none: a server that waits looks at the clock, and for old tasks
}

// emptyBuffers returns the queues that are fetched from at a wake-up alone.
func (p *Prefetcher) emptyBuffers() (names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range order.Queues() {
		own := p.queues[q]
		for left := own.empty &^ own.fetching; left != 0; {
			b := own.buffers[left.from(0)]
			left = left.without(b.book)
			names = append(names, b.name)
		}
	}
	return names
}

// ask sends questions in one pipeline. A number that is above zero afterwards is an answer:
// Redis Cluster reports an error for all questions when one node does not answer.
func (p *Prefetcher) ask(ctx context.Context, add func(pipe redis.Pipeliner)) {
	timeout := fetchTimeout
	if p.hasBooks() {
		timeout = askTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	pipe := p.rdb.Pipeline()
	add(pipe)
	_, _ = pipe.Exec(ctx)
}

// forwardDue makes due tasks pending and wakes their queues, unless Hold is on.
func (p *Prefetcher) forwardDue(ctx context.Context) {
	if p.isHeld() {
		return
	}
	type source struct{ name, set string }
	due, now := map[source]*redis.IntCmd{}, strconv.FormatInt(time.Now().Unix(), 10)
	p.ask(ctx, func(pipe redis.Pipeliner) {
		for name := range p.buffers {
			for _, set := range []string{"scheduled", "retry"} {
				due[source{name, set}] = pipe.ZCount(ctx, queueKey(name, set), "-inf", now)
			}
		}
	})
	var forwarding sync.WaitGroup
	for from, answer := range due {
		if answer.Val() > 0 {
			forwarding.Go(func() {
				p.forward(ctx, from.name, from.set)
				p.wake(from.name)
			})
		}
	}
	forwarding.Wait()
}

// forward makes the due tasks of a queue pending that are in the set of scheduled or of
// retrying ones. What fails follows in half a second.
func (p *Prefetcher) forward(ctx context.Context, name, set string) {
	ctx, cancel := context.WithTimeout(ctx, forwardTimeout)
	defer cancel()
	for moved := maxForward; moved == maxForward && !p.isHeld(); {
		var err error
		now := time.Now()
		moved, err = forwardScript.Run(ctx, p.rdb, []string{queueKey(name, set), queueKey(name, "pending")},
			now.Unix(), queueKey(name, taskPrefix), now.UnixNano(), maxForward).Int()
		if err != nil {
			p.cfg.Log.DebugContext(ctx, "due orders wait longer", "queue", name, "error", err)
			return
		}
	}
}
