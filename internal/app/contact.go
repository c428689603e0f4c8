package app

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// leastPatience is the time that a command must have had before its end without an
// answer counts: one that begins at the end of its caller's time says nothing.
const leastPatience = 500 * time.Millisecond

// contact is a hook of the Redis client that follows whether Redis answers. Redis is
// away from the second command in turn that has no answer, where the second began
// after the first had ended: one slow answer is none. It is there again with the first
// answer, a refusal included. It is safe for concurrent use.
type contact struct {
	mu     sync.Mutex
	failed time.Time // when the first command without an answer ended; zero after an answer
	away   bool
}

var _ redis.Hook = (*contact)(nil)

// lost says whether Redis is away.
func (c *contact) lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away
}

// DialHook implements redis.Hook.
func (*contact) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (c *contact) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmd)
		c.note(ctx, began, err)
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (c *contact) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmds)
		c.note(ctx, began, err)
		return err
	}
}

// note takes the end of a command that began then into account.
func (c *contact) note(ctx context.Context, began time.Time, err error) {
	var reply redis.Error
	answered := err == nil || errors.As(err, &reply)
	if !answered && !counts(ctx, began, err) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case answered:
		c.failed, c.away = time.Time{}, false
	case c.failed.IsZero():
		c.failed = time.Now()
	case began.After(c.failed):
		c.away = true
	}
}

// counts says whether a command without an answer says anything about Redis: not if
// its caller gave up, or left it hardly any time.
func counts(ctx context.Context, began time.Time, err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, redis.ErrClosed) {
		return false
	}
	var timeout net.Error
	late := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
	until, bounded := ctx.Deadline()
	return !late || !bounded || until.Sub(began) >= leastPatience
}
