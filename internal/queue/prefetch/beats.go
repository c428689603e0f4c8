package prefetch

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// serversKey and workersKey list the servers and what they work. Beside them, each
	// server has a key of each name.
	serversKey = "asynq:servers"
	workersKey = "asynq:workers"
	// beatTimeout bounds one write of a heartbeat, which comes every five seconds.
	beatTimeout = 4 * time.Second
	// endTimeout bounds a script that ends a delivery to one of several books, during which
	// its slot is taken. Asynq repeats it.
	endTimeout = 2 * time.Second
)

// errSlowBeat is returned for a write of a heartbeat while the last one is under way.
var errSlowBeat = errors.New("the last heartbeat is still being written")

// beats are the writes of the heartbeats of a server, with several books. Asynq writes that
// its server is alive, and then renews the leases of one queue after the other, each for as
// long as its Redis node takes to answer. Meanwhile its server begins no order, and the
// leases of the queues that are left may grow so old that recovery takes their orders for
// orphans. So no write waits for a node that is away. It is safe for concurrent use.
type beats struct {
	mu   sync.Mutex
	last map[string]*beat // by key
}

// beat is one write.
type beat struct {
	ended chan struct{}
	err   error // once it has ended
}

// write writes about a key and waits for a moment, and for less than that after a write
// that failed. A write that takes longer goes on: its outcome is reported by the next one.
func (b *beats) write(key string, send func(ctx context.Context) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var before error
	if last := b.last[key]; last != nil {
		select {
		case <-last.ended:
			before = last.err
		default:
			return errSlowBeat
		}
	}
	if redis.HasErrorPrefix(before, "NOSCRIPT") {
		before = nil
	}
	now := &beat{ended: make(chan struct{})}
	b.last[key] = now
	go func() {
		defer close(now.ended)
		ctx, cancel := context.WithTimeout(context.Background(), beatTimeout)
		defer cancel()
		now.err = send(ctx)
	}()
	patience := slowAfter
	if before != nil {
		patience /= 5
	}
	slow := time.NewTimer(patience)
	defer slow.Stop()
	select {
	case <-now.ended:
		return now.err
	case <-slow.C:
		return before
	}
}

// ZAdd notes that a server is alive.
func (c *serverClient) ZAdd(ctx context.Context, key string, members ...redis.Z) *redis.IntCmd {
	if !c.prefetcher.hasBooks() {
		return c.UniversalClient.ZAdd(ctx, key, members...)
	}
	return redis.NewIntResult(0, c.beats.write(key, func(ctx context.Context) error {
		return c.UniversalClient.ZAdd(ctx, key, members...).Err()
	}))
}

// ZAddXX renews leases.
func (c *serverClient) ZAddXX(ctx context.Context, key string, members ...redis.Z) *redis.IntCmd {
	if !c.prefetcher.hasBooks() {
		return c.UniversalClient.ZAddXX(ctx, key, members...)
	}
	return redis.NewIntResult(0, c.beats.write(key, func(ctx context.Context) error {
		return c.UniversalClient.ZAddXX(ctx, key, members...).Err()
	}))
}

// ZRem notes that a server has ended.
func (c *serverClient) ZRem(ctx context.Context, key string, members ...any) *redis.IntCmd {
	if !c.prefetcher.hasBooks() {
		return c.UniversalClient.ZRem(ctx, key, members...)
	}
	return redis.NewIntResult(0, c.beats.write(key, func(ctx context.Context) error {
		return c.UniversalClient.ZRem(ctx, key, members...).Err()
	}))
}

// script runs a script of Asynq. With several books, one about the server is a write of its
// heartbeat, and one that ends a delivery has less time.
func (c *serverClient) script(ctx context.Context, keys []string, run func(context.Context) *redis.Cmd) *redis.Cmd {
	switch {
	case !c.prefetcher.hasBooks():
		return run(ctx)
	case isServer(keys):
		err := c.beats.write(keys[0], func(ctx context.Context) error { return run(ctx).Err() })
		return answered(ctx, "OK", err)
	case leasesOf(keys) != "":
		ctx, cancel := context.WithTimeout(ctx, endTimeout)
		defer cancel()
		return run(ctx)
	default:
		return run(ctx)
	}
}

// isServer reports whether these are the keys of a script that notes what a server works.
func isServer(keys []string) bool {
	return len(keys) == 2 && strings.HasPrefix(keys[0], serversKey+":") && strings.HasPrefix(keys[1], workersKey+":")
}
