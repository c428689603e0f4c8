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
	t       *testing.T
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
	b := &bundle{t: t, rdb: server.Client(), broken: server.Client(), breaker: &redistest.Breaker{}}
	b.broken.AddHook(b.breaker)
	b.books, b.queue, b.asynq = ledger.New(b.rdb), producer(b.rdb), asynq.NewInspectorFromRedisClient(b.rdb)
	b.Repairer = b.repairer(ledger.New(b.broken))
	t.Cleanup(func() { ledgertest.CheckBooks(t, b.rdb) })
	return b
}

func producer(rdb redis.UniversalClient) *queue.Producer {
	return queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: time.Second})
}

func (b *bundle) repairer(l recovery.Ledger) *recovery.Repairer {
	b.t.Helper()
	tasks, err := queue.NewTasks(b.broken)
	must(b.t, err)
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
type step func(b *bundle)

func (b *bundle) do(steps ...step) {
	b.t.Helper()
	for _, s := range steps {
		s(b)
	}
}

// accept records an order without a task.
func (b *bundle) accept(id string, options ...ordertest.Option) order.Record {
	b.t.Helper()
	o := ordertest.Order(b.t, append(options, ordertest.WithID(id))...)
	rec, _, err := ledgertest.Accept(b.t.Context(), b.books, o, order.QueueDefault)
	must(b.t, err)
	return rec
}

func accept(id string, options ...ordertest.Option) step {
	return func(b *bundle) { b.accept(id, options...) }
}

// enqueue gives the order its task.
func enqueue(id string) step {
	return func(b *bundle) { b.enqueue(b.get(id)) }
}

func (b *bundle) enqueue(rec order.Record) {
	b.t.Helper()
	_, err := b.queue.Enqueue(b.t.Context(), rec)
	must(b.t, err)
}

// enqueueFor adds a task to a queue whatever the ledger holds.
func enqueueFor(at time.Time, q order.Queue, id string) step {
	rec := order.Record{Order: order.Order{ID: id, Content: order.Content{ProcessAt: at}}, Queue: q, Status: order.StatusScheduled}
	return func(b *bundle) { b.enqueue(rec) }
}

func archive(id string) step {
	return func(b *bundle) { must(b.t, b.asynq.ArchiveTask("default", id)) }
}

// corrupt overwrites the content of a task.
func corrupt(id string) step {
	return func(b *bundle) {
		must(b.t, b.rdb.HSet(b.t.Context(), taskKey(id), "msg", "garbage").Err())
	}
}

// fetch does what Asynq does when a worker fetches a task.
func fetch(id string) step {
	return func(b *bundle) {
		b.rdb.LRem(b.t.Context(), queueKey+"pending", 0, id)
		b.rdb.LPush(b.t.Context(), queueKey+"active", id)
		b.rdb.HSet(b.t.Context(), taskKey(id), "state", "active")
		must(b.t, b.rdb.ZAdd(b.t.Context(), queueKey+"lease", redis.Z{Score: float64(time.Now().Unix()), Member: id}).Err())
	}
}

func claim(id, worker string) order.Claim {
	return order.Claim{ID: id, Token: worker, Worker: worker, Handling: order.HandlingStandard, MaxAttempts: 100}
}

func begin(id, worker string) step {
	return func(b *bundle) {
		_, err := b.books.Begin(b.t.Context(), claim(id, worker))
		must(b.t, err)
	}
}

// work fetches an order and begins an attempt.
func work(id, worker string) step {
	return func(b *bundle) { b.do(fetch(id), begin(id, worker)) }
}

// fail begins an attempt that fails.
func fail(id string) step {
	return func(b *bundle) {
		b.do(begin(id, "f"))
		must(b.t, b.books.Fail(b.t.Context(), claim(id, "f"), order.Failure{Error: "busy", RetryIn: time.Second}))
	}
}

// settle begins an attempt that settles the order.
func settle(id string, status order.Status) step {
	return func(b *bundle) {
		b.do(begin(id, "s"))
		must(b.t, b.books.Settle(b.t.Context(), claim(id, "s"), order.Outcome{Status: status}))
	}
}

func cancel(id string) step {
	return func(b *bundle) {
		_, err := b.books.Cancel(b.t.Context(), id, "changed my mind")
		must(b.t, err)
	}
}

func retry(id string) step {
	return func(b *bundle) {
		_, err := b.books.Retry(b.t.Context(), id, "r")
		must(b.t, err)
	}
}

// lose ends the attempt of an order whose worker is gone.
func lose(id string, number int, withCandidate bool) step {
	return func(b *bundle) {
		lost := order.LostAttempt{Number: number, SeenAt: time.Now().Add(time.Minute), WithCandidate: withCandidate}
		_, err := b.books.Lost(b.t.Context(), id, lost)
		must(b.t, err)
	}
}

// forget removes the one settled order from the ledger.
func forget(b *bundle) {
	b.t.Helper()
	if n, err := b.books.Forget(b.t.Context(), time.Now().Add(time.Minute), 10); n != 1 || err != nil {
		b.t.Fatalf("forgot %d, %v", n, err)
	}
}

func requeueOrphans(b *bundle) { must(b.t, b.RequeueOrphans(b.t.Context())) }

func (b *bundle) repairTasks(now time.Time) {
	b.t.Helper()
	must(b.t, b.RepairTasks(b.t.Context(), now))
}

const queueKey = "asynq:{default}:"

func taskKey(id string) string { return queueKey + "t:" + id }

func recordKey(id string) string { return "orders:{b0}:o:" + id }

func (b *bundle) get(id string) order.Record {
	b.t.Helper()
	rec, err := b.books.Get(b.t.Context(), id)
	must(b.t, err)
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

func (b *bundle) pending() []string {
	b.t.Helper()
	return b.rdb.LRange(b.t.Context(), queueKey+"pending", 0, -1).Val()
}

type repairs = map[order.Repair]int64

func (b *bundle) repairs() repairs {
	b.t.Helper()
	totals, err := b.books.Totals(b.t.Context())
	must(b.t, err)
	return totals.Repairs
}

// state is how many tasks there are, and how many missing ones were enqueued.
type state struct{ Tasks, Missing int64 }

func (b *bundle) wantState(when string, want state) {
	b.t.Helper()
	depths, err := queue.NewInspector(b.rdb).Depths(b.t.Context())
	must(b.t, err)
	got := state{Missing: b.repairs()[order.RepairMissingTask]}
	for _, d := range depths {
		got.Tasks += d.Pending + d.Active + d.Scheduled + d.Retry + d.Archived
	}
	wantEqual(b.t, "state "+when, want, got)
}

func wantEqual(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// spoil makes a record unreadable, and returns what repairs it.
func (b *bundle) spoil(id string) (repair func()) {
	b.t.Helper()
	doc := b.rdb.HGet(b.t.Context(), recordKey(id), "d").Val()
	b.rdb.HSet(b.t.Context(), recordKey(id), "d", "{")
	return func() { b.rdb.HSet(b.t.Context(), recordKey(id), "d", doc) }
}

// wantUnavailable checks the error of a repair of which one command was broken.
func (b *bundle) wantUnavailable(err error) {
	b.t.Helper()
	if !errors.Is(err, order.ErrUnavailable) || b.breaker.Fired() != 1 {
		b.t.Fatalf("%d commands were broken, and the repair answered %v", b.breaker.Fired(), err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
