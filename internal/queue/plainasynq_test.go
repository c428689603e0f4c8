package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// asynqScripts is a go-redis hook that notes the scripts of the Asynq that runs on its
// client: those by which a task comes, is taken and is done.
type asynqScripts struct {
	mu                     sync.Mutex
	enqueue, dequeue, done *redis.Script
}

func (*asynqScripts) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*asynqScripts) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (s *asynqScripts) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "eval" { // with its source, as this Redis knows none
			s.note(redistest.Keys(cmd), redis.NewScript(cmd.Args()[1].(string)))
		}
		return next(ctx, cmd)
	}
}

func (s *asynqScripts) note(keys []string, script *redis.Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	is := func(n int, ends ...string) bool {
		for i, end := range ends {
			if len(keys) != n || !strings.HasSuffix(keys[i], end) {
				return false
			}
		}
		return true
	}
	switch {
	case is(2, ":t:o1", ":pending"):
		s.enqueue = script
	case is(4, ":pending", ":paused", ":active", ":lease"):
		s.dequeue = script
	case is(5, ":active", ":lease", ":t:o1"):
		s.done = script
	}
}

func (s *asynqScripts) complete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enqueue != nil && s.dequeue != nil && s.done != nil
}

// plainAsynq has the Asynq of this program work one task by itself, and returns its
// scripts.
func plainAsynq(t *testing.T) *asynqScripts {
	t.Helper()
	scripts := &asynqScripts{}
	rdb := redistest.Start(t).Client()
	rdb.AddHook(scripts)
	task := asynq.NewTask("order", nil)
	if _, err := asynq.NewClientFromRedisClient(rdb).Enqueue(task, asynq.TaskID("o1"), asynq.Queue("default")); err != nil {
		t.Fatal(err)
	}
	server := asynq.NewServerFromRedisClient(rdb, asynq.Config{
		Concurrency: 1, Queues: map[string]int{"default": 1}, LogLevel: asynq.FatalLevel, TaskCheckInterval: time.Millisecond,
	})
	if err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { return nil })); err != nil {
		t.Fatal(err)
	}
	defer server.Shutdown()
	eventually(t, "Asynq has worked a task", scripts.complete)
	return scripts
}

// TestScriptsOfAsynq holds that the scripts which are run in another way are those of
// the Asynq that this program is built with.
func TestScriptsOfAsynq(t *testing.T) {
	t.Parallel()
	scripts := plainAsynq(t)
	for name, row := range map[string][2]string{
		"enqueue": {queue.EnqueueSHA, scripts.enqueue.Hash()},
		"dequeue": {queue.DequeueSHA, scripts.dequeue.Hash()},
		"done":    {queue.DoneSHA, scripts.done.Hash()},
	} {
		if row[0] != row[1] {
			t.Errorf("Asynq's script to %s is %s, this package knows %s", name, row[1], row[0])
		}
	}
}

// dump returns all keys with what they hold, and whether it expires. The leases of
// both sides are the same to a few seconds, and so is when a task began to wait.
func (b *bundle) dump(t *testing.T) map[string]string {
	t.Helper()
	ctx, dump := t.Context(), map[string]string{}
	for _, key := range b.rdb.Keys(ctx, "*").Val() {
		var content any
		switch kind := b.rdb.Type(ctx, key).Val(); kind {
		case "string":
			content = b.rdb.Get(ctx, key).Val()
		case "list":
			content = b.rdb.LRange(ctx, key, 0, -1).Val()
		case "set":
			content = slices.Sorted(slices.Values(b.rdb.SMembers(ctx, key).Val()))
		case "hash":
			fields := b.rdb.HGetAll(ctx, key).Val()
			delete(fields, "pending_since")
			content = fields
		case "zset":
			members := b.rdb.ZRange(ctx, key, 0, -1).Val()
			slices.Sort(members)
			content = members
		default:
			t.Fatalf("key %s is a %s", key, kind)
		}
		dump[key] = fmt.Sprint(content, b.rdb.TTL(ctx, key).Val() > 0)
	}
	return dump
}

// arriving is a context that tells when its caller begins to wait for its group.
type arriving struct {
	context.Context
	once    *sync.Once
	arrived chan struct{}
}

func (a arriving) Done() <-chan struct{} {
	a.once.Do(func() { close(a.arrived) })
	return a.Context.Done()
}
