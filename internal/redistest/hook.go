package redistest

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Hook is a go-redis hook that is called with each command, alone, and with each pipeline,
// and with the function that sends it. Add it to a client with AddHook.
type Hook func(cmds []redis.Cmder, send func() error) error

var _ redis.Hook = Hook(nil)

// DialHook implements redis.Hook.
func (Hook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (h Hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h([]redis.Cmder{cmd}, func() error { return next(ctx, cmd) })
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h Hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h(cmds, func() error { return next(ctx, cmds) })
	}
}
