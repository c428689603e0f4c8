package queue_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
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
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/traces"
)

// TestMain checks that no consumer leaves a goroutine behind. The tests wait more than
// they work, so more of them run at once than there are processors.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "8") // an argument of the command still wins
	goleak.VerifyTestMain(m)
}

// patience bounds every wait for something that should happen soon. It only ends a
// test that hangs, whatever the speed of the machine.
const patience = programtest.Patience

const attemptTimeout = 20 * time.Second

// bundle is what each test of the queue gets: a Redis of its own, a Producer on a client
// that can be broken, and Asynq's own client and inspector.
type bundle struct {
	*queue.Producer
	server  *redistest.Server
	rdb     *redis.Client
	broken  *redis.Client
	breaker *redistest.Breaker
	client  *asynq.Client
	asynq   *asynq.Inspector
}

// open makes the test parallel and returns its bundle.
func open(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	server := redistest.Start(t)
	b := &bundle{server: server, rdb: server.Client(), broken: server.Client(), breaker: &redistest.Breaker{}}
	b.broken.AddHook(b.breaker)
	b.client = asynq.NewClientFromRedisClient(b.rdb)
	b.asynq = asynq.NewInspectorFromRedisClient(b.rdb)
	b.Producer = queue.NewProducer(b.broken, queue.ProducerConfig{AttemptTimeout: attemptTimeout})
	return b
}

// bothWays runs a test with prefetching and with plain servers.
func bothWays(t *testing.T, test func(t *testing.T, b *bundle, cfg queue.ConsumerConfig)) {
	t.Helper()
	t.Parallel()
	for name, prefetch := range map[string]bool{"prefetching": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			b, cfg := open(t), config()
			cfg.Prefetch = prefetch
			test(t, b, cfg)
		})
	}
}

func config() queue.ConsumerConfig {
	return queue.ConsumerConfig{
		Concurrency: 1, Servers: 1, Prefetch: true,
		Weights:         order.QueueWeights(),
		Backoff:         queue.Backoff{Base: 100 * time.Millisecond, Max: 200 * time.Millisecond},
		ShutdownTimeout: patience,
		Log:             slog.New(slog.DiscardHandler),
	}
}

func record(id string, q order.Queue) order.Record {
	return order.Record{
		Order: order.Order{
			ID: id, Content: order.Content{
				Amount: 1250, Items: []string{"tea", "cups"}, Customer: "ada@example.com",
				Address: "12 Main Street\nLondon", Priority: order.PriorityMedium, Notes: "ring twice",
			},
		},
		Status: order.StatusPending, Queue: q, CreatedAt: time.UnixMicro(1_700_000_000_000_001).UTC(),
	}
}

// scheduled is the record of an order that may be worked from a time on.
func scheduled(id string, q order.Queue, at time.Time) order.Record {
	rec := record(id, q)
	rec.Status, rec.ProcessAt = order.StatusScheduled, at.UTC().Truncate(time.Microsecond)
	return rec
}

// handovers are records that all came with the test's context.
func handovers(t *testing.T, records []order.Record) []order.Handover {
	t.Helper()
	all := make([]order.Handover, len(records))
	for i, rec := range records {
		all[i] = order.Handover{Record: rec, Trace: traces.ContextOf(t.Context())}
	}
	return all
}

// enqueue puts orders in that must be new to the queue.
func (b *bundle) enqueue(t *testing.T, q order.Queue, ids ...string) {
	t.Helper()
	for _, id := range ids {
		b.enqueueRecord(t, record(id, q))
	}
}

// later puts an order in that waits an hour for its time.
func (b *bundle) later(t *testing.T, q order.Queue, id string) {
	t.Helper()
	b.enqueueRecord(t, scheduled(id, q, time.Now().Add(time.Hour)))
}

func (b *bundle) enqueueRecord(t *testing.T, rec order.Record) {
	t.Helper()
	if added, err := b.Enqueue(t.Context(), rec); err != nil || !added {
		t.Fatalf("enqueue %s: added %t, %v", rec.ID, added, err)
	}
}

// fill enqueues so many orders, and returns their ids, the oldest first.
func (b *bundle) fill(t *testing.T, q order.Queue, n int) []string {
	t.Helper()
	records, ids := make([]order.Record, n), make([]string, n)
	for i := range records {
		ids[i] = fmt.Sprintf("%s-%d", q, i)
		records[i] = record(ids[i], q)
	}
	must(t, b.EnqueueAll(t.Context(), handovers(t, records)))
	return ids
}

// task returns Asynq's view of one task, nil if there is none.
func (b *bundle) task(q order.Queue, id string) *asynq.TaskInfo {
	info, err := b.asynq.GetTaskInfo(string(q), id)
	if err != nil {
		return nil
	}
	return info
}

// reaches waits until a task is in a state.
func (b *bundle) reaches(t *testing.T, q order.Queue, id string, s asynq.TaskState) *asynq.TaskInfo {
	t.Helper()
	var info *asynq.TaskInfo
	programtest.Until(t, "task "+id+" is "+s.String(), func() bool {
		info = b.task(q, id)
		return info != nil && info.State == s
	})
	return info
}

// pending is the pending orders of a queue, the next to be fetched first.
func (b *bundle) pending(q order.Queue) []string {
	ids := b.rdb.LRange(context.Background(), "asynq:{"+string(q)+"}:pending", 0, -1).Val()
	slices.Reverse(ids)
	return ids
}

// active is how many orders of a queue belong to workers.
func (b *bundle) active(q order.Queue) int {
	return int(b.rdb.LLen(context.Background(), "asynq:{"+string(q)+"}:active").Val())
}

// breakNth breaks the n-th command that matches.
func (b *bundle) breakNth(n int, f redistest.Fault, match func(redis.Cmder) bool) {
	seen := 0
	b.breaker.Break(f, func(c redis.Cmder) bool {
		if match(c) {
			seen++
		}
		return seen >= n && match(c)
	})
}

// handler is a queue.Handler made of a function.
type handler func(ctx context.Context, id string) error

func (h handler) Work(ctx context.Context, id string) error { return h(ctx, id) }

// retryLater is the handler of orders whose next attempt is in an hour.
func retryLater(context.Context, string) error {
	return &order.RetryError{After: time.Hour, Err: errors.New("shop answered 500")}
}

// occupy has a worker begin the one pending order and hold it until the test ends.
func (b *bundle) occupy(t *testing.T) {
	t.Helper()
	working, release := make(chan struct{}), make(chan struct{})
	b.consume(t, config(), func(context.Context, string) error { close(working); <-release; return nil })
	t.Cleanup(func() { close(release) })
	receive(t, "the order is worked", working)
}

// consume runs a consumer until stop is called or the test ends. stop returns when Run
// has.
func (b *bundle) consume(t *testing.T, cfg queue.ConsumerConfig, h handler) (stop func()) {
	t.Helper()
	cancel, ended := b.start(t, cfg, h)
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// start runs a consumer until cancel is called; ended closes when Run returns.
func (b *bundle) start(t *testing.T, cfg queue.ConsumerConfig, h handler) (cancel func(), ended <-chan struct{}) {
	t.Helper()
	c, err := queue.NewConsumer(b.broken, cfg, h)
	must(t, err)
	return run(t, c)
}

// run runs a consumer until cancel is called; ended closes when Run returns.
func run(t *testing.T, c *queue.Consumer) (cancel func(), ended <-chan struct{}) {
	t.Helper()
	ctx, cancelCtx := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := c.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	return cancelCtx, done
}

// collector is a handler that records the ids it is given.
type collector struct {
	mu  sync.Mutex
	ids []string
}

func (c *collector) work(_ context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids = append(c.ids, id)
	return nil
}

func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ids)
}

// wait waits until these orders were delivered, each once and no others.
func (c *collector) wait(t *testing.T, want []string) {
	t.Helper()
	programtest.Until(t, fmt.Sprintf("%d orders are delivered", len(want)), func() bool { return len(c.got()) >= len(want) })
	if diff := cmp.Diff(want, c.got(), cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
}

// never checks for a while that the condition does not hold. An idle worker polls every
// 250 ms, so a while is long for it.
func never(t *testing.T, what string, holds func() bool) {
	t.Helper()
	if programtest.Poll(400*time.Millisecond, holds) {
		t.Fatal(what)
	}
}

// closed reports whether a channel is closed, or has a value.
func closed[T any](c <-chan T) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// receive waits for a value.
func receive[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("still waiting: %s", what)
		panic("unreachable")
	}
}
