package redistest

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Fault is one way in which a single command can break.
type Fault int

const (
	// NotApplied loses the command before it reaches Redis.
	NotApplied Fault = iota + 1
	// ReplyLost loses the reply: Redis has applied the command, and the caller gets an
	// error.
	ReplyLost
)

// String names the fault in test rows.
func (f Fault) String() string {
	if f == NotApplied {
		return "not applied"
	}
	return "applied, reply lost"
}

// Faults lists every fault, for tables.
func Faults() []Fault { return []Fault{NotApplied, ReplyLost} }

// ErrBroken is the error of a broken command; it looks like a lost connection.
var ErrBroken error = &net.OpError{Op: "read", Net: "unix", Err: io.ErrUnexpectedEOF}

// Breaker is a go-redis hook that breaks commands on demand. It is safe for
// concurrent use. Add it to a client with AddHook.
type Breaker struct {
	mu    sync.Mutex
	fault Fault
	match func(redis.Cmder) bool
	fired int
}

var _ redis.Hook = (*Breaker)(nil)

// Break breaks the next command that matches, once.
func (b *Breaker) Break(f Fault, match func(redis.Cmder) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault, b.match = f, match
}

// BreakNth breaks the n-th command that matches, once.
func (b *Breaker) BreakNth(n int, f Fault, match func(redis.Cmder) bool) {
	seen := 0
	b.Break(f, func(cmd redis.Cmder) bool {
		if match(cmd) {
			seen++
		}
		return seen >= n && match(cmd)
	})
}

// Fired returns how many commands have been broken so far.
func (b *Breaker) Fired() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fired
}

// Script matches the run of any script that has a key with the prefix.
func Script(keyPrefix string) func(redis.Cmder) bool {
	return func(cmd redis.Cmder) bool {
		return slices.ContainsFunc(Keys(cmd), func(key string) bool { return strings.HasPrefix(key, keyPrefix) })
	}
}

// Keys returns the keys that the run of a script has, none for any other command.
func Keys(cmd redis.Cmder) []string {
	args := cmd.Args() // eval, script, number of keys, keys, arguments
	if !strings.HasPrefix(cmd.Name(), "eval") || len(args) < 3 {
		return nil
	}
	n, _ := args[2].(int)
	var keys []string
	for _, arg := range args[3:min(3+n, len(args))] {
		key, _ := arg.(string)
		keys = append(keys, key)
	}
	return keys
}

// DialHook implements redis.Hook.
func (b *Breaker) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook. A pipeline breaks as a whole when
// one of its commands does.
func (b *Breaker) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		fault, hit := b.hitAny(cmds)
		if !hit {
			return next(ctx, cmds)
		}
		if fault == ReplyLost {
			_ = next(ctx, cmds)
		}
		for _, cmd := range cmds {
			cmd.SetErr(ErrBroken)
		}
		return ErrBroken
	}
}

func (b *Breaker) hitAny(cmds []redis.Cmder) (Fault, bool) {
	for _, cmd := range cmds {
		if fault, hit := b.hit(cmd); hit {
			return fault, true
		}
	}
	return 0, false
}

// ProcessHook implements redis.Hook.
func (b *Breaker) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		fault, hit := b.hit(cmd)
		if !hit {
			return next(ctx, cmd)
		}
		if fault == ReplyLost {
			if err := next(ctx, cmd); unknownScript(err) {
				return b.rearm(fault, err)
			}
		}
		cmd.SetErr(ErrBroken)
		return ErrBroken
	}
}

func (b *Breaker) hit(cmd redis.Cmder) (Fault, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault == 0 || !b.match(cmd) {
		return 0, false
	}
	fault := b.fault
	b.fault = 0
	b.fired++
	return fault, true
}

// rearm waits until the script is sent again with its source: a script that Redis did
// not know was not applied.
func (b *Breaker) rearm(f Fault, err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = f
	b.fired--
	return err
}

func unknownScript(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply) && strings.HasPrefix(reply.Error(), "NOSCRIPT")
}
