package queue

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// outbox holds back the scripts by which Asynq's client adds tasks, so that they
// can be sent together: by itself, the client sends one and waits.
type outbox struct{ scripts []*redis.Cmd }

// send sends what is held in one pipeline, with whatever is put behind it, and says
// of each script whether it has added its task: those that add pending tasks to one
// queue are made one.
func (o *outbox) send(ctx context.Context, rdb redis.UniversalClient, behind func(redis.Pipeliner)) []bool {
	added := make([]bool, len(o.scripts))
	sheaves := map[string]*sheaf{} // by queue
	pipe := rdb.Pipeline()
	for i, script := range o.scripts {
		task, pending, args, ok := enqueues(script)
		if !ok {
			_ = pipe.Process(ctx, script) // only queues it
			continue
		}
		if sheaves[pending] == nil {
			sheaves[pending] = newSheaf(pending)
		}
		sheaves[pending].add(i, task, args)
	}
	for _, s := range sheaves {
		s.sent = enqueueScript.EvalSha(ctx, pipe, s.keys, s.args...)
	}
	behind(pipe)
	_, _ = pipe.Exec(ctx) // each script has an answer of its own
	for i, script := range o.scripts {
		n, err := script.Int()
		added[i] = err == nil && n == 1
	}
	for _, s := range sheaves {
		s.answer(ctx, rdb, added)
	}
	return added
}

// sheaf is the tasks that are added to one queue.
type sheaf struct {
	keys   []string
	args   []any
	places []int // of the tasks, among all scripts
	sent   *redis.Cmd
}

func newSheaf(pending string) *sheaf {
	return &sheaf{keys: []string{pending}, args: []any{time.Now().UnixNano()}}
}

// enqueues returns the keys of a script that adds a pending task, and its message
// and id.
func enqueues(script *redis.Cmd) (task, pending string, args []any, ok bool) {
	all := script.Args() // evalsha, script, 2, keys, message, id, time
	if len(all) != 8 || all[1] != enqueueSHA {
		return "", "", nil, false
	}
	task, _ = all[3].(string)
	pending, _ = all[4].(string)
	return task, pending, all[5:7], true
}

func (s *sheaf) add(place int, task string, args []any) {
	s.keys, s.args, s.places = append(s.keys, task), append(s.args, args...), append(s.places, place)
}

// answer takes down which tasks were added. A script that Redis does not know yet
// is sent once more, with its source.
func (s *sheaf) answer(ctx context.Context, rdb redis.UniversalClient, added []bool) {
	if redis.HasErrorPrefix(s.sent.Err(), "NOSCRIPT") {
		s.sent = enqueueScript.Eval(ctx, rdb, s.keys, s.args...)
	}
	answers, err := s.sent.BoolSlice()
	if err != nil {
		return
	}
	for n, place := range s.places {
		added[place] = answers[n]
	}
}

type outboxKey struct{}

// outboxHook is a go-redis hook that puts a script into the outbox of its
// context, if there is one, and answers that it has added a task.
type outboxHook struct{}

var _ redis.Hook = outboxHook{}

// DialHook implements redis.Hook.
func (outboxHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (outboxHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook.
func (outboxHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		held, ok := ctx.Value(outboxKey{}).(*outbox)
		script, isScript := cmd.(*redis.Cmd)
		if !ok || !isScript || !strings.HasPrefix(cmd.Name(), "eval") {
			return next(ctx, cmd)
		}
		held.scripts = append(held.scripts, redis.NewCmd(ctx, script.Args()...))
		script.SetVal(int64(1))
		return nil
	}
}
