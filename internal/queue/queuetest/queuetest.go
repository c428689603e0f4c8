// Package queuetest has what the tests of the queue, and of the packages that use it,
// share: a private Redis that can be broken, plain Asynq on it, and waits.
package queuetest

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// idle is long for an idle worker, which polls every 250 ms.
const idle = 400 * time.Millisecond

// Main runs the tests of a package and checks that none leaves a goroutine behind. Tests
// that wait more than they work run more at once than there are processors.
func Main(m *testing.M) {
	_ = flag.Set("test.parallel", "8") // an argument of the command still wins
	goleak.VerifyTestMain(m)
}

// Redis is a private Redis with two clients, one of which can be broken, and plain Asynq
// on the other.
type Redis struct {
	Server  *redistest.Server
	RDB     *redis.Client
	Broken  *redis.Client // on which Breaker breaks commands
	Breaker *redistest.Breaker
	Client  *asynq.Client
	Asynq   *asynq.Inspector
}

// Start starts a Redis that stops with the test.
func Start(tb testing.TB) *Redis {
	tb.Helper()
	server := redistest.Start(tb)
	r := &Redis{Server: server, RDB: server.Client(), Broken: server.Client(), Breaker: &redistest.Breaker{}}
	r.Broken.AddHook(r.Breaker)
	r.Client, r.Asynq = asynq.NewClientFromRedisClient(r.RDB), asynq.NewInspectorFromRedisClient(r.RDB)
	return r
}

// Task returns Asynq's view of a task, nil if there is none.
func (r *Redis) Task(q order.Queue, id string) *asynq.TaskInfo {
	info, err := r.Asynq.GetTaskInfo(string(q), id)
	if err != nil {
		return nil
	}
	return info
}

// Pending returns the pending tasks of a queue, the next to be fetched first.
func (r *Redis) Pending(q order.Queue) []string {
	ids := r.RDB.LRange(context.Background(), "asynq:{"+string(q)+"}:pending", 0, -1).Val()
	slices.Reverse(ids)
	return ids
}

// SecondKey matches the scripts of Asynq whose second key has this suffix.
func SecondKey(suffix string) func(redis.Cmder) bool {
	return func(cmd redis.Cmder) bool {
		keys := redistest.Keys(cmd)
		return redistest.Script("asynq:")(cmd) && len(keys) > 1 && strings.HasSuffix(keys[1], suffix)
	}
}

// Collector is a handler that records the ids it is given. It is safe for concurrent use.
type Collector struct {
	mu  sync.Mutex
	ids []string
}

// Work records an id.
func (c *Collector) Work(_ context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids = append(c.ids, id)
	return nil
}

// IDs returns the recorded ids in their order.
func (c *Collector) IDs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ids)
}

// Wait waits until these orders were delivered, each once and no others.
func (c *Collector) Wait(tb testing.TB, want []string) {
	tb.Helper()
	programtest.Until(tb, fmt.Sprintf("%d orders are delivered", len(want)), func() bool { return len(c.IDs()) >= len(want) })
	CheckSame(tb, "delivered", want, c.IDs())
}

// CheckSame compares ids whatever their order.
func CheckSame(tb testing.TB, what string, want, got []string) {
	tb.Helper()
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare), cmpopts.EquateEmpty()); diff != "" {
		tb.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Never checks for a while that a condition stays false.
func Never(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	if programtest.Poll(idle, condition) {
		tb.Fatal(what)
	}
}

// Receive waits for a value.
func Receive[T any](tb testing.TB, what string, c <-chan T) T {
	tb.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(programtest.Patience):
		tb.Fatalf("still waiting: %s", what)
		panic("unreachable")
	}
}

// Must ends the test after an error.
func Must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
