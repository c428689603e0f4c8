package recovery_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/recovery"
)

// TestMain checks that no test leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const retention = time.Hour

// bundle is what each test gets: a real ledger and queue in a Redis of its own, and a
// Repairer on the client that can be broken.
type bundle struct {
	*recovery.Repairer
	*queuetest.Redis
	t     *testing.T
	books *ledger.Ledger  // never broken
	queue *queue.Producer // never broken
}

func open(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	r := queuetest.Start(t)
	b := &bundle{Redis: r, t: t, books: ledger.New(r.RDB), queue: producer(r.RDB)}
	b.Repairer = b.repairer(ledger.New(b.Broken).Books()[0])
	t.Cleanup(func() { ledgertest.CheckBooks(t, b.RDB) })
	return b
}

func producer(rdb redis.UniversalClient) *queue.Producer {
	return queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: time.Second})
}

func (b *bundle) repairer(l recovery.Ledger) *recovery.Repairer {
	b.t.Helper()
	tasks, err := queue.NewTasks(b.Broken, 1)
	queuetest.Must(b.t, err)
	cfg := recovery.Config{Name: rand.Text(), Retention: retention, Log: slog.New(slog.DiscardHandler)}
	return recovery.New(cfg, l, producer(b.Broken), allOrphans{tasks})
}

// allOrphans treats every active task as an orphan that was found a minute from now. The
// tests of package queue check which active tasks are orphans.
type allOrphans struct{ *queue.Tasks }

func (a allOrphans) Orphans(ctx context.Context, now time.Time) ([]recovery.Orphan, error) {
	active, err := a.Active(ctx)
	orphans := make([]recovery.Orphan, len(active))
	for i, task := range active {
		orphans[i] = recovery.Orphan{ActiveTask: task, SeenAt: now.Add(time.Minute)}
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
	queuetest.Must(b.t, err)
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
	queuetest.Must(b.t, err)
}

// enqueueFor adds a task to a queue whatever the ledger holds.
func enqueueFor(at time.Time, q order.Queue, id string) step {
	rec := order.Record{Order: order.Order{ID: id, Content: order.Content{ProcessAt: at}}, Queue: q, Status: order.StatusScheduled}
	return func(b *bundle) { b.enqueue(rec) }
}

func archive(id string) step {
	return func(b *bundle) { queuetest.Must(b.t, b.Asynq.ArchiveTask("default", id)) }
}

// corrupt overwrites the content of a task.
func corrupt(id string) step {
	return func(b *bundle) {
		queuetest.Must(b.t, b.RDB.HSet(b.t.Context(), taskKey(id), "msg", "garbage").Err())
	}
}

// fetch does what Asynq does when a worker fetches a task.
func fetch(id string) step {
	return func(b *bundle) {
		b.RDB.LRem(b.t.Context(), queueKey+"pending", 0, id)
		b.RDB.LPush(b.t.Context(), queueKey+"active", id)
		b.RDB.HSet(b.t.Context(), taskKey(id), "state", "active")
		queuetest.Must(b.t, b.RDB.ZAdd(b.t.Context(), queueKey+"lease", redis.Z{Score: float64(time.Now().Unix()), Member: id}).Err())
	}
}

func claim(id, worker string) order.Claim {
	return order.Claim{ID: id, Token: worker, Worker: worker, Handling: order.HandlingStandard, MaxAttempts: 100}
}

func begin(id, worker string) step {
	return func(b *bundle) {
		_, err := b.books.Begin(b.t.Context(), claim(id, worker))
		queuetest.Must(b.t, err)
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
		queuetest.Must(b.t, b.books.Fail(b.t.Context(), claim(id, "f"), order.Failure{Error: "busy", RetryIn: time.Second}))
	}
}

// settle begins an attempt that settles the order.
func settle(id string, status order.Status) step {
	return func(b *bundle) {
		b.do(begin(id, "s"))
		queuetest.Must(b.t, b.books.Settle(b.t.Context(), claim(id, "s"), order.Outcome{Status: status}))
	}
}

func cancel(id string) step {
	return func(b *bundle) {
		_, err := b.books.Cancel(b.t.Context(), id, order.Intervention{Actor: "ops", Reason: "changed my mind"})
		queuetest.Must(b.t, err)
	}
}

func retry(id string) step {
	return func(b *bundle) {
		_, err := b.books.Retry(b.t.Context(), id, "r", order.Intervention{Actor: "ops"})
		queuetest.Must(b.t, err)
	}
}

// lose ends the attempt of an order whose worker is gone.
func lose(id string, number int, withCandidate bool) step {
	return func(b *bundle) {
		lost := order.LostAttempt{Number: number, SeenAt: time.Now().Add(time.Minute), WithCandidate: withCandidate}
		_, err := b.books.Books()[0].Lost(b.t.Context(), id, lost)
		queuetest.Must(b.t, err)
	}
}

// forget removes the one settled order from the ledger.
func forget(b *bundle) {
	b.t.Helper()
	if n, err := b.books.Books()[0].Forget(b.t.Context(), time.Now().Add(time.Minute), 10); n != 1 || err != nil {
		b.t.Fatalf("forgot %d, %v", n, err)
	}
}

func requeueOrphans(b *bundle) { queuetest.Must(b.t, b.RequeueOrphans(b.t.Context(), time.Now())) }

func (b *bundle) repairTasks(now time.Time) {
	b.t.Helper()
	queuetest.Must(b.t, b.RepairTasks(b.t.Context(), now))
}

const queueKey = "asynq:{default}:"

func taskKey(id string) string { return queueKey + "t:" + id }

func (b *bundle) get(id string) order.Record {
	b.t.Helper()
	rec, err := b.books.Get(b.t.Context(), id)
	queuetest.Must(b.t, err)
	return rec
}

type repairs = map[order.Repair]int64

func (b *bundle) repairs() repairs {
	b.t.Helper()
	totals, err := b.books.Totals(b.t.Context())
	queuetest.Must(b.t, err)
	return totals.Repairs
}

// state is how many tasks there are, and how many missing ones were enqueued.
type state struct{ Tasks, Missing int64 }

func (b *bundle) wantState(when string, want state) {
	b.t.Helper()
	depths, err := queue.NewInspector(b.RDB, 1).Depths(b.t.Context())
	queuetest.Must(b.t, err)
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

// makeUnreadable makes a record unreadable, and returns what repairs it.
func (b *bundle) makeUnreadable(id string) (repair func()) {
	b.t.Helper()
	doc := b.RDB.HGet(b.t.Context(), ledgertest.RecordKey(id), "d").Val()
	b.RDB.HSet(b.t.Context(), ledgertest.RecordKey(id), "d", "{")
	return func() { b.RDB.HSet(b.t.Context(), ledgertest.RecordKey(id), "d", doc) }
}

// wantUnavailable checks the error of a repair of which one command was broken.
func (b *bundle) wantUnavailable(err error) {
	b.t.Helper()
	if !errors.Is(err, order.ErrUnavailable) || b.Breaker.Fired() != 1 {
		b.t.Fatalf("%d commands were broken, and the repair answered %v", b.Breaker.Fired(), err)
	}
}
