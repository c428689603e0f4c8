package queue_test

import (
	"context"
	"flag"
	"log/slog"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// TestMain holds that no consumer leaves a goroutine behind. The tests wait more
// than they work, so more of them run at once than there are processors.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "8") // an argument of the command still wins
	goleak.VerifyTestMain(m)
}

// patience bounds every wait for something that should happen soon. It only ends a
// test that hangs: how fast the machine is must not matter.
const patience = 5 * time.Minute

const (
	attemptTimeout = 20 * time.Second
)

// bundle is what each test of the queue gets: a Redis of its own with both ends
// of the queue on a client that can be broken, and Asynq's own view of it.
type bundle struct {
	*queue.Producer
	server  *redistest.Server
	rdb     *redis.Client
	broken  *redis.Client
	breaker *redistest.Breaker
	client  *asynq.Client
	asynq   *asynq.Inspector
}

func open(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	return newBundle(t)
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	server := redistest.Start(t)
	b := &bundle{server: server, rdb: server.Client(), broken: server.Client(), breaker: &redistest.Breaker{}}
	b.broken.AddHook(b.breaker)
	b.client = asynq.NewClientFromRedisClient(b.rdb)
	b.asynq = asynq.NewInspectorFromRedisClient(b.rdb)
	b.Producer = queue.NewProducer(b.broken, queue.ProducerConfig{AttemptTimeout: attemptTimeout})
	return b
}

// patient is a client that waits long for an answer.
func (b *bundle) patient(t *testing.T) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(b.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	opts.ReadTimeout, opts.WriteTimeout, opts.ContextTimeoutEnabled, opts.MaxRetries = patience, patience, true, -1
	c := redis.NewClient(opts)
	t.Cleanup(func() { _ = c.Close() })
	return c
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

// enqueue puts orders in that must be new to the queue.
func (b *bundle) enqueue(t *testing.T, q order.Queue, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if added, err := b.Enqueue(t.Context(), record(id, q)); err != nil || !added {
			t.Fatalf("enqueue %s: added %t, %v", id, added, err)
		}
	}
}

// task returns Asynq's view of one task, nil if there is none.
func (b *bundle) task(q order.Queue, id string) *asynq.TaskInfo {
	info, err := b.asynq.GetTaskInfo(string(q), id)
	if err != nil {
		return nil
	}
	return info
}

// handler is a queue.Handler made of a function.
type handler func(ctx context.Context, id string) error

func (h handler) Work(ctx context.Context, id string) error { return h(ctx, id) }

func config() queue.ConsumerConfig {
	return queue.ConsumerConfig{
		Concurrency: 1, Lanes: 1,
		Weights:         map[order.Queue]int{order.QueueCritical: 6, order.QueueDefault: 3, order.QueueLow: 1},
		Backoff:         queue.Backoff{Base: 100 * time.Millisecond, Max: 200 * time.Millisecond},
		ShutdownTimeout: patience,
		Log:             slog.New(slog.DiscardHandler),
	}
}

// consume runs a consumer until stop is called or the test ends. stop returns
// when Run has.
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
	if err != nil {
		t.Fatal(err)
	}
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

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("still waiting: %s", what)
		}
	}
}

// never watches for a while that the condition does not hold. An idle lane
// looks for work every 250 ms, so a while is long for it.
func never(t *testing.T, what string, holds func() bool) {
	t.Helper()
	end := time.After(400 * time.Millisecond)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if holds() {
				t.Fatalf("%s", what)
			}
		case <-end:
			return
		}
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
