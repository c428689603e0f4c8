package app

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// minCommandTime is the time that a command must have had for its timeout to count: one
// that starts at the end of its caller's deadline proves nothing about Redis.
const minCommandTime = 500 * time.Millisecond

// connection is a hook of the Redis client that tracks whether Redis answers. The
// connection is lost with the second consecutive command without an answer, if that
// command began after the first had ended: a single slow answer does not count. Any
// answer restores it, even an error reply. It is safe for concurrent use.
type connection struct {
	mu     sync.Mutex
	failed time.Time // when the first command without an answer ended; zero after an answer
	isLost bool
}

var _ redis.Hook = (*connection)(nil)

// lost reports whether Redis has stopped answering.
func (c *connection) lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isLost
}

// DialHook implements redis.Hook.
func (*connection) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (c *connection) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmd)
		c.observe(ctx, began, err)
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (c *connection) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmds)
		c.observe(ctx, began, err)
		return err
	}
}

// observe records how a command ended.
func (c *connection) observe(ctx context.Context, began time.Time, err error) {
	answered := err == nil || isReply(err)
	if !answered && !meansNoAnswer(ctx, began, err) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case answered:
		c.failed, c.isLost = time.Time{}, false
	case c.failed.IsZero():
		c.failed = time.Now()
	case began.After(c.failed):
		c.isLost = true
	}
}

// meansNoAnswer reports whether an error means that Redis did not answer. It does not if
// the caller gave up or left the command hardly any time.
func meansNoAnswer(ctx context.Context, began time.Time, err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, redis.ErrClosed) {
		return false
	}
	var timeout net.Error
	late := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
	deadline, bounded := ctx.Deadline()
	return !late || !bounded || deadline.Sub(began) >= minCommandTime
}

// isReply reports whether an error is a reply of Redis.
func isReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

// unknownCommand reports whether an error is the reply of a Redis that does not have the
// command, as managed ones lack some.
func unknownCommand(err error) bool {
	return isReply(err) && strings.HasPrefix(reply(err).Error(), "ERR unknown command")
}

// reply returns the reply of Redis within an error for which isReply is true.
func reply(err error) error {
	var r redis.Error
	errors.As(err, &r)
	return r
}
