package reconcile_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/reconcile"
	"orderprocessor/internal/redistest"
)

const retention = time.Hour

// bundle is what each test of reconcile gets: real books and a real queue in a
// Redis of its own, and a reconciler on a client that can be broken.
type bundle struct {
	*reconcile.Reconciler
	rdb     *redis.Client
	breaker *redistest.Breaker
	books   *ledger.Ledger   // never broken
	queue   *queue.Producer  // never broken
	asynq   *asynq.Inspector // never broken
	broken  *redis.Client
}

func open(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	server := redistest.Start(t)
	b := &bundle{rdb: server.Client(), broken: server.Client(), breaker: &redistest.Breaker{}}
	b.broken.AddHook(b.breaker)
	b.books, b.queue, b.asynq = ledger.New(b.rdb), producer(b.rdb), asynq.NewInspectorFromRedisClient(b.rdb)
	b.Reconciler = b.another()
	t.Cleanup(func() { ledgertest.CheckBooks(t, b.rdb) })
	return b
}

func producer(rdb redis.UniversalClient) *queue.Producer {
	return queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: time.Second})
}

// another is the reconciler of one more process.
func (b *bundle) another() *reconcile.Reconciler {
	return b.reconciler(ledger.New(b.broken), slog.New(slog.DiscardHandler))
}

func (b *bundle) reconciler(l reconcile.Ledger, log *slog.Logger) *reconcile.Reconciler {
	sweeper, err := queue.NewSweeper(b.broken)
	if err != nil {
		panic(err)
	}
	return reconcile.New(reconcile.Config{Name: rand.Text(), Retention: retention, Log: log}, reconcile.Parts{
		Ledger: l, Queue: producer(b.broken), Strays: impatient{sweeper, b.rdb}, Places: sweeper,
	})
}

// impatient is a sweeper that takes every order which is being worked for a
// stray. The test of package queue holds how patient the real one is.
type impatient struct {
	*queue.Sweeper
	rdb *redis.Client
}

func (i impatient) Strays(ctx context.Context) ([]order.Stray, error) {
	var strays []order.Stray
	for _, id := range i.rdb.LRange(ctx, "asynq:{default}:active", 0, -1).Val() {
		lease := ""
		if score, err := i.rdb.ZScore(ctx, "asynq:{default}:lease", id).Result(); err == nil {
			lease = strconv.FormatFloat(score, 'f', -1, 64)
		}
		strays = append(strays, order.Stray{ID: id, Queue: order.QueueDefault, Lease: lease, SeenAt: time.Now().Add(time.Minute)})
	}
	return strays, nil
}

// accept writes an order into the books and leaves it without a task.
func (b *bundle) accept(t *testing.T, id string) order.Record {
	t.Helper()
	rec, _, err := ledgertest.Accept(t.Context(), b.books, ordertest.Order(t, ordertest.WithID(id)), order.QueueDefault)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func (b *bundle) enqueue(t *testing.T, rec order.Record) {
	t.Helper()
	if _, err := b.queue.Enqueue(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) begin(t *testing.T, id, token string) order.Claim {
	t.Helper()
	c := order.Claim{ID: id, Token: token, Worker: "w-" + token, Handling: order.HandlingStandard, MaxAttempts: 100}
	if _, err := b.books.Begin(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func (b *bundle) fail(t *testing.T, id string) {
	t.Helper()
	if err := b.books.Fail(t.Context(), b.begin(t, id, "f"), order.Failure{Error: "busy", RetryIn: time.Second}); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) settle(t *testing.T, id string) {
	t.Helper()
	out := order.Outcome{Status: order.StatusCompleted}
	if err := b.books.Settle(t.Context(), b.begin(t, id, "s"), out); err != nil {
		t.Fatal(err)
	}
}

// state is what a test compares: how many tasks there are, and how many repairs
// are counted.
type state struct {
	Tasks    int64
	Requeued int64
}

func (b *bundle) state(t *testing.T) state {
	t.Helper()
	totals, err := b.books.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	depths, err := queue.NewInspector(b.rdb).Depths(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := state{Requeued: totals.Requeued}
	for _, d := range depths {
		s.Tasks += d.Pending + d.Active + d.Scheduled + d.Retry + d.Archived
	}
	return s
}

func (b *bundle) round(t *testing.T, now time.Time) {
	t.Helper()
	if err := b.Round(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

// TestRound holds which orders are queued again, and that a repair is counted
// once however often the books are looked at.
func TestRound(t *testing.T) {
	t.Parallel()
	const minAge = 30 * time.Second
	rows := []struct {
		name   string
		before func(*testing.T, *bundle)
		age    time.Duration // of the order, when the rounds are made
		want   state
	}{
		{"waits without a task", func(*testing.T, *bundle) {}, minAge + time.Microsecond, state{1, 1}},
		{"too young to tell", func(*testing.T, *bundle) {}, minAge, state{0, 0}},
		{"has its task", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, order.Record{Order: order.Order{ID: "o1"}, Queue: order.QueueDefault})
		}, time.Minute, state{1, 0}},
		{"retrying without a task", func(t *testing.T, b *bundle) {
			t.Helper()
			b.fail(t, "o1")
		}, time.Minute, state{1, 1}},
		{"being worked, with its task gone", func(t *testing.T, b *bundle) {
			t.Helper()
			b.begin(t, "o1", "a")
		}, time.Minute, state{1, 1}},
		{"its task is archived", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, order.Record{Order: order.Order{ID: "o1"}, Queue: order.QueueDefault})
			if err := b.asynq.ArchiveTask("default", "o1"); err != nil {
				t.Fatal(err)
			}
		}, time.Minute, state{1, 1}},
		{"settled", func(t *testing.T, b *bundle) {
			t.Helper()
			b.settle(t, "o1")
		}, time.Minute, state{0, 0}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			rec := b.accept(t, "o1")
			row.before(t, b)
			now := rec.CreatedAt.Add(row.age)
			for _, again := range []*reconcile.Reconciler{b.Reconciler, b.Reconciler, b.another()} {
				if err := again.Round(t.Context(), now); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(row.want, b.state(t)); diff != "" {
					t.Errorf("after a round (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestRequeuedTask holds that a repaired order waits in the queue of its record,
// with what a first task says.
func TestRequeuedTask(t *testing.T) {
	b := open(t)
	o := ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithPriority(order.PriorityHigh))
	rec, _, err := ledgertest.Accept(t.Context(), b.books, o, order.QueueCritical)
	if err != nil {
		t.Fatal(err)
	}
	b.round(t, rec.CreatedAt.Add(time.Minute))
	got, err := b.asynq.GetTaskInfo("critical", "o1")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.asynq.DeleteTask("critical", "o1"); err != nil {
		t.Fatal(err)
	}
	b.enqueue(t, rec)
	want, err := b.asynq.GetTaskInfo("critical", "o1")
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range []*asynq.TaskInfo{got, want} {
		info.NextProcessAt = time.Time{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("task (-first +repaired):\n%s", diff)
	}
}

// TestLaterRounds holds that an order which loses its task after it was looked
// at is found, and one that comes of age.
func TestLaterRounds(t *testing.T) {
	b := open(t)
	first := b.accept(t, "o1")
	b.enqueue(t, first)
	b.round(t, first.CreatedAt.Add(31*time.Second))
	second := b.accept(t, "o2")
	if err := b.asynq.DeleteTask("default", "o1"); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name string
		age  time.Duration // of the second order
		want state
	}{
		{"second is too young", 30 * time.Second, state{1, 1}},
		{"second is old enough", 31 * time.Second, state{2, 2}},
		{"nothing is left to do", 41 * time.Second, state{2, 2}},
		{"nor later", time.Hour, state{2, 2}},
	}
	for _, step := range steps {
		b.round(t, second.CreatedAt.Add(step.age))
		if diff := cmp.Diff(step.want, b.state(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

// TestManyOrders holds that a round walks over all pages, and leaves alone what
// has its task.
func TestManyOrders(t *testing.T) {
	b := open(t)
	var last order.Record
	for n := range 450 {
		last = b.accept(t, fmt.Sprintf("o%d", n))
		if n%3 == 0 {
			b.enqueue(t, last)
		}
	}
	now := last.CreatedAt.Add(31 * time.Second)
	for range 2 {
		b.round(t, now)
		if diff := cmp.Diff(state{Tasks: 450, Requeued: 300}, b.state(t)); diff != "" {
			t.Errorf("after a round (-want +got):\n%s", diff)
		}
	}
}

// TestRoundIsBounded holds that one round looks at so many orders, and that the
// next ones go on from there and start over.
func TestRoundIsBounded(t *testing.T) {
	b := open(t)
	var last order.Record
	for n := range 2300 {
		last = b.accept(t, fmt.Sprintf("o%d", n))
	}
	now := last.CreatedAt.Add(31 * time.Second)
	for _, want := range []state{{2000, 2000}, {2300, 2300}} {
		b.round(t, now)
		if diff := cmp.Diff(want, b.state(t)); diff != "" {
			t.Errorf("after a round (-want +got):\n%s", diff)
		}
	}
	for _, id := range []string{"o0", "o2299"} {
		if err := b.asynq.DeleteTask("default", id); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []state{{2299, 2301}, {2300, 2302}} {
		b.round(t, now)
		if diff := cmp.Diff(want, b.state(t)); diff != "" {
			t.Errorf("after starting over (-want +got):\n%s", diff)
		}
	}
}

// TestTwoAtOnce holds that two processes repair each order once between them.
func TestTwoAtOnce(t *testing.T) {
	b := open(t)
	var last order.Record
	for n := range 300 {
		last = b.accept(t, fmt.Sprintf("o%d", n))
	}
	var both sync.WaitGroup
	for _, r := range []*reconcile.Reconciler{b.Reconciler, b.another()} {
		both.Go(func() {
			if err := r.Round(t.Context(), last.CreatedAt.Add(time.Minute)); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if diff := cmp.Diff(state{Tasks: 300, Requeued: 300}, b.state(t)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

// TestFaults breaks each command of a repair in both ways a network can, makes
// the next round, and wants the order to have its task. The count of repairs
// may miss one whose round broke in the middle, and never counts one twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	name := func(n string) func(redis.Cmder) bool { return func(c redis.Cmder) bool { return c.Name() == n } }
	rows := []struct {
		name  string
		match func(redis.Cmder) bool
		fault redistest.Fault
		want  state
	}{
		{"list", name("zrange"), redistest.NotApplied, state{1, 1}},
		{"list", name("zrange"), redistest.ReplyLost, state{1, 1}},
		{"name the queue", name("sadd"), redistest.NotApplied, state{1, 1}},
		{"name the queue", name("sadd"), redistest.ReplyLost, state{1, 1}},
		{"look for the task", name("sismember"), redistest.NotApplied, state{1, 1}},
		{"look for the task", name("sismember"), redistest.ReplyLost, state{1, 1}},
		{"enqueue", enqueues, redistest.NotApplied, state{1, 1}},
		{"enqueue", enqueues, redistest.ReplyLost, state{1, 0}},
		{"count", counts, redistest.NotApplied, state{1, 0}},
		{"count", counts, redistest.ReplyLost, state{1, 1}},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			now := b.accept(t, "o1").CreatedAt.Add(time.Minute)
			b.breaker.Break(row.fault, row.match)
			if err := b.Round(t.Context(), now); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("the broken round answered %v", err)
			}
			if b.breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.breaker.Fired())
			}
			for range 2 {
				b.round(t, now.Add(10*time.Second))
				if diff := cmp.Diff(row.want, b.state(t)); diff != "" {
					t.Errorf("after the next round (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// counts matches the script that counts a repair, which changes the books.
func counts(c redis.Cmder) bool {
	return redistest.Script("orders:")(c) && len(c.Args()) > 4 && c.Args()[4] == "orders:{b0}:e"
}

// enqueues matches the script by which Asynq takes a task in.
func enqueues(c redis.Cmder) bool {
	if !redistest.Script("asynq:")(c) {
		return false
	}
	key, _ := c.Args()[4].(string)
	return strings.HasSuffix(key, ":pending")
}

// TestBrokenRoundGoesOn holds that a round which broke in the middle of a page
// is taken up where it broke.
func TestBrokenRoundGoesOn(t *testing.T) {
	b := open(t)
	var last order.Record
	for n := range 250 {
		last = b.accept(t, fmt.Sprintf("o%d", n))
	}
	now, seen := last.CreatedAt.Add(time.Minute), 0
	b.breaker.Break(redistest.NotApplied, func(c redis.Cmder) bool {
		if redistest.Script("asynq:")(c) {
			seen++
		}
		return seen == 220
	})
	if err := b.Round(t.Context(), now); !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("the broken round answered %v", err)
	}
	b.round(t, now)
	if diff := cmp.Diff(state{Tasks: 250, Requeued: 250}, b.state(t)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

// TestRetention holds that settled orders leave when their retention is over,
// and no others.
func TestRetention(t *testing.T) {
	b := open(t)
	b.accept(t, "done")
	b.settle(t, "done")
	b.enqueue(t, b.accept(t, "waiting"))
	b.accept(t, "working")
	b.begin(t, "working", "a")
	left := func(want ...string) {
		t.Helper()
		var got []string
		for _, id := range []string{"done", "waiting", "working"} {
			switch _, err := b.books.Get(t.Context(), id); {
			case err == nil:
				got = append(got, id)
			case !errors.Is(err, order.ErrNotFound):
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("left (-want +got):\n%s", diff)
		}
	}
	rec, err := b.books.Get(t.Context(), "done")
	if err != nil {
		t.Fatal(err)
	}
	forget := func(now time.Time) {
		t.Helper()
		if err := b.Forget(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	forget(rec.ProcessedAt.Add(retention - time.Microsecond))
	left("done", "waiting", "working")
	forget(rec.ProcessedAt.Add(retention))
	left("waiting", "working")
	totals, err := b.books.Totals(t.Context())
	if err != nil || totals.ByStatus[order.StatusCompleted] != 1 || totals.Drift() != 0 {
		t.Errorf("totals are %v, drift %d, %v", totals.ByStatus, totals.Drift(), err)
	}
}

// movedOn is a ledger whose orders move on between listing and repair.
type movedOn struct {
	*ledger.Ledger
	move func(id string)
}

func (m movedOn) Waiting(
	ctx context.Context, s order.Status, after, before time.Time, limit int,
) (records []order.Record, next time.Time, err error) {
	records, next, err = m.Ledger.Waiting(ctx, s, after, before, limit)
	for _, rec := range records {
		m.move(rec.ID)
	}
	return records, next, err
}

// TestOrderMovesOn holds that an order which is worked to its end between
// listing and repair is left alone.
func TestOrderMovesOn(t *testing.T) {
	b := open(t)
	now := b.accept(t, "o1").CreatedAt.Add(time.Minute)
	l := movedOn{b.books, func(id string) { b.settle(t, id) }}
	r := b.reconciler(l, slog.New(slog.DiscardHandler))
	if err := r.Round(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(state{}, b.state(t)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

// TestUnreadableRecord holds that a record which cannot be read is reported with
// its id, and keeps no other order from its task or from leaving.
func TestUnreadableRecord(t *testing.T) {
	b := open(t)
	b.accept(t, "done")
	b.settle(t, "done")
	b.accept(t, "odd")
	good := b.accept(t, "good")
	doc := b.rdb.HGet(t.Context(), "orders:{b0}:o:odd", "d").Val()
	b.rdb.HSet(t.Context(), "orders:{b0}:o:odd", "d", "{")
	err := b.Round(t.Context(), good.CreatedAt.Add(2*retention))
	if err == nil || !strings.Contains(err.Error(), "order odd") {
		t.Errorf("the round answered %v", err)
	}
	if diff := cmp.Diff(state{1, 1}, b.state(t)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if err := b.Forget(t.Context(), good.CreatedAt.Add(2*retention)); err != nil {
		t.Errorf("forget: %v", err)
	}
	if _, err := b.books.Get(t.Context(), "done"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("the old order is still there: %v", err)
	}
	b.rdb.HSet(t.Context(), "orders:{b0}:o:odd", "d", doc)
}
