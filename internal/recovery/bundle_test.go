package recovery_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/redistest"
)

// TestMain checks that no test leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const retention = time.Hour

// bundle is what each test gets: a real ledger and queue in a Redis of its own, and a
// Repairer on a client that can be broken.
type bundle struct {
	*recovery.Repairer
	rdb     *redis.Client
	breaker *redistest.Breaker
	broken  *redis.Client
	books   *ledger.Ledger   // never broken
	queue   *queue.Producer  // never broken
	asynq   *asynq.Inspector // never broken
}

func open(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	server := redistest.Start(t)
	b := &bundle{rdb: server.Client(), broken: server.Client(), breaker: &redistest.Breaker{}}
	b.broken.AddHook(b.breaker)
	b.books, b.queue, b.asynq = ledger.New(b.rdb), producer(b.rdb), asynq.NewInspectorFromRedisClient(b.rdb)
	b.Repairer = b.repairer(t, ledger.New(b.broken))
	t.Cleanup(func() { ledgertest.CheckBooks(t, b.rdb) })
	return b
}

func producer(rdb redis.UniversalClient) *queue.Producer {
	return queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: time.Second})
}

func (b *bundle) repairer(t *testing.T, l recovery.Ledger) *recovery.Repairer {
	t.Helper()
	tasks, err := queue.NewTasks(b.broken)
	must(t, err)
	cfg := recovery.Config{Name: rand.Text(), Retention: retention, Log: slog.New(slog.DiscardHandler)}
	return recovery.New(cfg, l, producer(b.broken), allOrphans{tasks})
}

// allOrphans treats every active task as an orphan that was found a minute from now. The
// tests of package queue check which active tasks are orphans.
type allOrphans struct{ *queue.Tasks }

func (a allOrphans) Orphans(ctx context.Context) ([]recovery.Orphan, error) {
	active, err := a.Active(ctx)
	orphans := make([]recovery.Orphan, len(active))
	for i, task := range active {
		orphans[i] = recovery.Orphan{ActiveTask: task, SeenAt: time.Now().Add(time.Minute)}
	}
	return orphans, err
}

// step brings the bundle from one state to the next.
type step func(t *testing.T, b *bundle)

func (b *bundle) do(t *testing.T, steps ...step) {
	t.Helper()
	for _, s := range steps {
		s(t, b)
	}
}

// doing returns a step that must succeed.
func doing(do func(ctx context.Context, b *bundle) error) step {
	return func(t *testing.T, b *bundle) { must(t, do(t.Context(), b)) }
}

// accept records an order without a task.
func (b *bundle) accept(t *testing.T, id string, options ...ordertest.Option) order.Record {
	t.Helper()
	o := ordertest.Order(t, append(options, ordertest.WithID(id))...)
	rec, _, err := ledgertest.Accept(t.Context(), b.books, o, order.QueueDefault)
	must(t, err)
	return rec
}

func accept(id string, options ...ordertest.Option) step {
	return func(t *testing.T, b *bundle) { b.accept(t, id, options...) }
}

// enqueue gives the order its task.
func enqueue(id string) step {
	return func(t *testing.T, b *bundle) { b.enqueue(t, b.get(t, id)) }
}

func (b *bundle) enqueue(t *testing.T, rec order.Record) {
	t.Helper()
	_, err := b.queue.Enqueue(t.Context(), rec)
	must(t, err)
}

// enqueueFor adds a task to a queue whatever the ledger holds.
func enqueueFor(at time.Time, q order.Queue, id string) step {
	rec := order.Record{Order: order.Order{ID: id, Content: order.Content{ProcessAt: at}}, Queue: q, Status: order.StatusScheduled}
	return func(t *testing.T, b *bundle) { b.enqueue(t, rec) }
}

func archive(id string) step {
	return doing(func(_ context.Context, b *bundle) error { return b.asynq.ArchiveTask("default", id) })
}

// corrupt overwrites the content of a task.
func corrupt(id string) step {
	return doing(func(ctx context.Context, b *bundle) error {
		return b.rdb.HSet(ctx, taskKey(id), "msg", "garbage").Err()
	})
}

// fetch does what Asynq does when a worker fetches a task.
func fetch(id string) step {
	return doing(func(ctx context.Context, b *bundle) error {
		b.rdb.LRem(ctx, queueKey+"pending", 0, id)
		b.rdb.LPush(ctx, queueKey+"active", id)
		b.rdb.HSet(ctx, taskKey(id), "state", "active")
		return b.rdb.ZAdd(ctx, queueKey+"lease", redis.Z{Score: float64(time.Now().Unix()), Member: id}).Err()
	})
}

func claim(id, worker string) order.Claim {
	return order.Claim{ID: id, Token: worker, Worker: worker, Handling: order.HandlingStandard, MaxAttempts: 100}
}

func begin(id, worker string) step {
	return doing(func(ctx context.Context, b *bundle) error {
		_, err := b.books.Begin(ctx, claim(id, worker))
		return err
	})
}

// work fetches an order and begins an attempt.
func work(id, worker string) step {
	return func(t *testing.T, b *bundle) { b.do(t, fetch(id), begin(id, worker)) }
}

// fail begins an attempt that fails.
func fail(id string) step {
	return func(t *testing.T, b *bundle) {
		b.do(t, begin(id, "f"))
		must(t, b.books.Fail(t.Context(), claim(id, "f"), order.Failure{Error: "busy", RetryIn: time.Second}))
	}
}

// settle begins an attempt that settles the order.
func settle(id string, status order.Status) step {
	return func(t *testing.T, b *bundle) {
		b.do(t, begin(id, "s"))
		must(t, b.books.Settle(t.Context(), claim(id, "s"), order.Outcome{Status: status}))
	}
}

func cancel(id string) step {
	return doing(func(ctx context.Context, b *bundle) error {
		_, err := b.books.Cancel(ctx, id, "changed my mind")
		return err
	})
}

func retry(id string) step {
	return doing(func(ctx context.Context, b *bundle) error {
		_, err := b.books.Retry(ctx, id, "r")
		return err
	})
}

// lose ends the attempt of an order whose worker is gone.
func lose(id string, number int, withCandidate bool) step {
	return doing(func(ctx context.Context, b *bundle) error {
		lost := order.LostAttempt{Number: number, SeenAt: time.Now().Add(time.Minute), WithCandidate: withCandidate}
		_, err := b.books.Lost(ctx, id, lost)
		return err
	})
}

// forget removes the one settled order from the ledger.
func forget(t *testing.T, b *bundle) {
	t.Helper()
	if n, err := b.books.Forget(t.Context(), time.Now().Add(time.Minute), 10); n != 1 || err != nil {
		t.Fatalf("forgot %d, %v", n, err)
	}
}

func requeueOrphans(t *testing.T, b *bundle) { must(t, b.RequeueOrphans(t.Context())) }

func (b *bundle) repairTasks(t *testing.T, now time.Time) {
	t.Helper()
	must(t, b.RepairTasks(t.Context(), now))
}

const queueKey = "asynq:{default}:"

func taskKey(id string) string { return queueKey + "t:" + id }

func recordKey(id string) string { return "orders:{b0}:o:" + id }

func (b *bundle) get(t *testing.T, id string) order.Record {
	t.Helper()
	rec, err := b.books.Get(t.Context(), id)
	must(t, err)
	return rec
}

// task returns Asynq's view of the task of order o1, nil if there is none.
func (b *bundle) task() *asynq.TaskInfo {
	info, err := b.asynq.GetTaskInfo("default", "o1")
	if err != nil {
		return nil
	}
	return info
}

func (b *bundle) pending(t *testing.T) []string {
	t.Helper()
	return b.rdb.LRange(t.Context(), queueKey+"pending", 0, -1).Val()
}

type repairs = map[order.Repair]int64

func (b *bundle) repairs(t *testing.T) repairs {
	t.Helper()
	totals, err := b.books.Totals(t.Context())
	must(t, err)
	return totals.Repairs
}

// state is how many tasks there are, and how many missing ones were enqueued.
type state struct{ Tasks, Missing int64 }

func (b *bundle) wantState(t *testing.T, when string, want state) {
	t.Helper()
	depths, err := queue.NewInspector(b.rdb).Depths(t.Context())
	must(t, err)
	got := state{Missing: b.repairs(t)[order.RepairMissingTask]}
	for _, d := range depths {
		got.Tasks += d.Pending + d.Active + d.Scheduled + d.Retry + d.Archived
	}
	wantEqual(t, "state "+when, want, got)
}

func wantEqual(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// spoil makes a record unreadable, and returns what repairs it.
func (b *bundle) spoil(t *testing.T, id string) (repair func()) {
	t.Helper()
	doc := b.rdb.HGet(t.Context(), recordKey(id), "d").Val()
	b.rdb.HSet(t.Context(), recordKey(id), "d", "{")
	return func() { b.rdb.HSet(t.Context(), recordKey(id), "d", doc) }
}

// wantUnavailable checks the error of a repair of which one command was broken.
func (b *bundle) wantUnavailable(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, order.ErrUnavailable) || b.breaker.Fired() != 1 {
		t.Fatalf("%d commands were broken, and the repair answered %v", b.breaker.Fired(), err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
