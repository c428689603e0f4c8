package prefetch

import (
	"context"
	_ "embed"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/enqueue.lua
var enqueueLua string

//nolint:gochecknoglobals // compiled once, never changed
var enqueueScript = redis.NewScript(enqueueLua)

// NewClient returns the Redis client for an asynq.Client that can add tasks in a
// Batch. Without a Batch in the context it behaves as rdb.
func NewClient(rdb redis.UniversalClient) redis.UniversalClient { return producerClient{rdb} }

type producerClient struct{ redis.UniversalClient }

// EvalSha runs a script of Asynq, or adds it to the Batch of the context and answers
// that the task was added.
func (c producerClient) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	b, ok := ctx.Value(batchKey{}).(*Batch)
	if !ok {
		return c.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	b.calls = append(b.calls, call{sha: sha, keys: keys, args: args})
	return answered(ctx, int64(1), nil)
}

type batchKey struct{}

// Batch collects the tasks that an asynq.Client adds, so that they are sent together.
// It is not safe for concurrent use.
type Batch struct{ calls []call }

// call is a call of one of the scripts by which Asynq adds a task.
type call struct {
	sha  string
	keys []string
	args []any
}

// NewBatch returns an empty batch. Asynq clients that are passed ctx add to it; their
// answers mean nothing.
func NewBatch(parent context.Context) (ctx context.Context, b *Batch) {
	b = &Batch{}
	return context.WithValue(parent, batchKey{}, b), b
}

// Send adds the tasks in one pipeline, those of one queue in one script, and then wakes
// the idle workers of the queues in wake. It reports for each task, in the order in which
// they were collected, whether it is known to be added now: false when there was a task
// of its name, or when Redis did not answer. Queues are named as Asynq knows them.
func (b *Batch) Send(ctx context.Context, rdb redis.UniversalClient, wake []string) (added []bool) {
	added = make([]bool, len(b.calls))
	single := map[int]*redis.Cmd{}        // scripts that are sent as they are, by task
	shared := map[string]*sharedEnqueue{} // by the key of the queue's pending tasks
	pipe := rdb.Pipeline()
	for i, c := range b.calls {
		if c.sha != enqueueSHA {
			single[i] = pipe.EvalSha(ctx, c.sha, c.keys, c.args...)
			continue
		}
		pending := c.keys[1]
		if shared[pending] == nil {
			shared[pending] = newSharedEnqueue(pending)
		}
		shared[pending].add(i, c)
	}
	for _, s := range shared {
		s.sent = enqueueScript.EvalSha(ctx, pipe, s.keys, s.args...)
	}
	publish(ctx, pipe, wake)
	_, _ = pipe.Exec(ctx) // each command has its own answer
	for i, cmd := range single {
		n, err := cmd.Int()
		added[i] = err == nil && n == 1
	}
	for _, s := range shared {
		s.collect(ctx, rdb, added)
	}
	return added
}

// sharedEnqueue adds pending tasks to one queue.
type sharedEnqueue struct {
	keys  []string
	args  []any
	tasks []int // of its tasks, their number in the batch
	sent  *redis.Cmd
}

func newSharedEnqueue(pending string) *sharedEnqueue {
	return &sharedEnqueue{keys: []string{pending}, args: []any{time.Now().UnixNano()}}
}

func (s *sharedEnqueue) add(task int, c call) { // keys task, pending; args message, id, time
	s.keys, s.args, s.tasks = append(s.keys, c.keys[0]), append(s.args, c.args[:2]...), append(s.tasks, task)
}

// collect writes down which tasks were added. It sends the script once more, with its
// source, if Redis did not know it.
func (s *sharedEnqueue) collect(ctx context.Context, rdb redis.UniversalClient, added []bool) {
	if redis.HasErrorPrefix(s.sent.Err(), "NOSCRIPT") {
		s.sent = enqueueScript.Eval(ctx, rdb, s.keys, s.args...)
	}
	answers, err := s.sent.BoolSlice()
	if err != nil {
		return
	}
	for n, task := range s.tasks {
		added[task] = answers[n]
	}
}
