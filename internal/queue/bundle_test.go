package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/traces"
)

func TestMain(m *testing.M) { queuetest.Main(m) }

const attemptTimeout = 20 * time.Second

// bundle is what each test of the queue gets: a Redis of its own, and a Producer on the
// client that can be broken.
type bundle struct {
	*queue.Producer
	*queuetest.Redis
}

// open makes the test parallel and returns its bundle.
func open(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	r := queuetest.Start(t)
	return &bundle{queue.NewProducer(r.Broken, queue.ProducerConfig{AttemptTimeout: attemptTimeout}), r}
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

// overBooks runs a test both ways, and both ways over several books.
func overBooks(t *testing.T, test func(t *testing.T, b *bundle, cfg queue.ConsumerConfig)) {
	t.Helper()
	bothWays(t, test)
	for name, prefetch := range map[string]bool{"prefetching over books": true, "plain over books": false} {
		t.Run(name, func(t *testing.T) {
			b, cfg := openBooks(t), config()
			cfg.Books, cfg.Prefetch = books, prefetch
			test(t, b, cfg)
		})
	}
}

func config() queue.ConsumerConfig {
	return queue.ConsumerConfig{
		Concurrency: 1, Servers: 1, Prefetch: true,
		Weights:         order.QueueWeights(),
		Backoff:         queue.Backoff{Base: 100 * time.Millisecond, Max: 200 * time.Millisecond},
		ShutdownTimeout: programtest.Patience,
		Log:             slog.New(slog.DiscardHandler),
	}
}

func record(id string, q order.Queue) order.Record {
	return order.Record{
		Order: order.Order{
			ID: id, Content: order.Content{
				Amount: order.Cents(1250), Items: order.Names("tea", "cups"), Customer: "ada@example.com",
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
	queuetest.Must(t, b.EnqueueAll(t.Context(), handovers(t, records)))
	return ids
}

// reaches waits until a task is in a state.
func (b *bundle) reaches(t *testing.T, q order.Queue, id string, s asynq.TaskState) *asynq.TaskInfo {
	t.Helper()
	var info *asynq.TaskInfo
	programtest.Until(t, "task "+id+" is "+s.String(), func() bool {
		info = b.Task(q, id)
		return info != nil && info.State == s
	})
	return info
}

// active is how many orders of a queue belong to workers.
func (b *bundle) active(q order.Queue) int {
	return int(b.RDB.LLen(context.Background(), "asynq:{"+string(q)+"}:active").Val())
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
	queuetest.Receive(t, "the order is worked", working)
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
	c, err := queue.NewConsumer(b.Broken, cfg, h)
	queuetest.Must(t, err)
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

// closed reports whether a channel is closed, or has a value.
func closed[T any](c <-chan T) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
