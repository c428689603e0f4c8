package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/jobs"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bundle is what each test gets: a real ledger and queue in a Redis of its own.
type bundle struct {
	*queuetest.Redis
	t     *testing.T
	books *ledger.Ledger // never broken
	leads atomic.Bool
}

func open(t *testing.T) *bundle {
	t.Helper()
	return openOver(t, 1)
}

// overBooks runs a test on one book and on several.
func overBooks(t *testing.T, test func(t *testing.T, b *bundle)) {
	t.Helper()
	t.Parallel()
	for _, n := range []int{1, 8} {
		t.Run(strconv.Itoa(n), func(t *testing.T) { test(t, openOver(t, n)) })
	}
}

func openOver(t *testing.T, books int) *bundle {
	t.Helper()
	t.Parallel()
	r := queuetest.Start(t)
	b := &bundle{Redis: r, t: t, books: ledger.NewWith(r.RDB, ledger.Config{Books: books})}
	b.leads.Store(true)
	t.Cleanup(func() { ledgertest.CheckBooks(t, r.RDB) })
	return b
}

// runner returns a runner on a client, with room for so many orders, that meets its end as
// death wants.
func (b *bundle) runner(rdb redis.UniversalClient, room int, d *death) *jobs.Runner {
	l := ledger.NewWith(rdb, ledger.Config{Books: len(b.books.Books())})
	in := intake.New(l, queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: time.Second}), toDefault{},
		intake.NewAdmission(nil, nil, room), slog.New(slog.DiscardHandler))
	r := jobs.New(jobs.Config{Leads: b.leads.Load, Log: slog.New(slog.DiscardHandler)}, mortalLedger{l, d}, mortalOrders{in, d})
	r.Hurry(time.Millisecond)
	return r
}

// carryOut lets one process carry out a job until it has ended or is paused.
func (b *bundle) carryOut(id string) order.Job {
	b.t.Helper()
	b.runner(b.RDB, plenty, nil).CarryOut(b.t.Context(), id)
	return b.job(id)
}

const plenty = 1_000_000

// toDefault routes every order to the default queue.
type toDefault struct{}

func (toDefault) Queue(context.Context, order.Order) order.Queue { return order.QueueDefault }

func (b *bundle) job(id string) order.Job {
	b.t.Helper()
	j, err := b.books.Job(b.t.Context(), id)
	queuetest.Must(b.t, err)
	return j
}

// create creates a job.
func (b *bundle) create(j order.Job) order.Job {
	b.t.Helper()
	if j.ID == "" {
		j.ID = "job-1"
	}
	j.Actor = "ops"
	stored, isNew, err := b.books.CreateJob(b.t.Context(), j, "q1")
	if err != nil || !isNew {
		b.t.Fatalf("the job is new: %t, %v", isNew, err)
	}
	return stored
}

// accept accepts n orders, whose ids begin with a prefix.
func (b *bundle) accept(prefix string, n int, opts ...ordertest.Option) []string {
	b.t.Helper()
	ids, entries := make([]string, n), make([]order.Entry, n)
	for i := range n {
		ids[i] = fmt.Sprintf("%s%03d", prefix, i)
		o := ordertest.Order(b.t, append(opts, ordertest.WithID(ids[i]))...)
		entries[i] = order.Entry{Order: o, Queue: order.QueueDefault}
	}
	for page := range slices.Chunk(entries, 100) {
		_, err := b.books.AcceptAll(b.t.Context(), page)
		queuetest.Must(b.t, err)
	}
	return ids
}

// each calls do for every id, all at once.
func each(ids []string, do func(id string)) {
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() { do(id) })
	}
	all.Wait()
}

// begin begins an attempt at each order.
func (b *bundle) begin(ids []string) {
	b.t.Helper()
	each(ids, func(id string) {
		_, err := b.books.Begin(b.t.Context(), order.Claim{
			ID: id, Token: id, Worker: "w", Handling: order.HandlingStandard,
			Decision: &order.Decision{Version: "v1", Action: order.ActionApprove, Handling: order.HandlingStandard, Tags: []string{"vip"}},
		})
		if err != nil && !errors.Is(err, order.ErrSettled) {
			b.t.Errorf("begin %s: %v", id, err)
		}
	})
}

// settle brings orders to an outcome.
func (b *bundle) settle(ids []string, to order.Status) {
	b.t.Helper()
	b.begin(ids)
	each(ids, func(id string) {
		out := order.Outcome{Status: to}
		if to != order.StatusCompleted {
			out.Error = "answered 503"
		}
		if err := b.books.Settle(b.t.Context(), order.Claim{ID: id, Token: id, Worker: "w"}, out); err != nil {
			b.t.Errorf("settle %s: %v", id, err)
		}
	})
}

// failed returns n orders that have failed.
func (b *bundle) failed(prefix string, n int, opts ...ordertest.Option) []string {
	b.t.Helper()
	ids := b.accept(prefix, n, opts...)
	b.settle(ids, order.StatusFailed)
	return ids
}

// held returns n orders that are held.
func (b *bundle) held(prefix string, n int) []string {
	b.t.Helper()
	ids := b.accept(prefix, n)
	each(ids, func(id string) {
		queuetest.Must(b.t, b.books.Hold(b.t.Context(), id, order.Decision{Version: "v1", Action: order.ActionHold, Reason: "odd"}))
	})
	return ids
}

// in returns the ids of the orders in a status, newest first.
func (b *bundle) in(s order.Status) []string {
	b.t.Helper()
	var ids []string
	for after := (order.Position{}); ; {
		page, next, err := b.books.List(b.t.Context(), order.Filter{Status: s}, after, 200)
		queuetest.Must(b.t, err)
		for _, rec := range page {
			ids = append(ids, rec.ID)
		}
		if after = next; next.IsZero() {
			return ids
		}
	}
}

// death ends a process at one of its calls: before it, or after it.
type death struct {
	at    int
	after bool
	die   context.CancelFunc
	calls atomic.Int64
}

// around makes a call, unless this is the moment.
func around[T any](d *death, call func() (T, error)) (answer T, err error) {
	if d == nil {
		return call()
	}
	last := int(d.calls.Add(1)) == d.at
	if last && !d.after {
		d.die()
		return answer, context.Canceled
	}
	answer, err = call()
	if last {
		d.die()
		err = context.Canceled
	}
	return answer, err
}

// mortalLedger is a ledger at whose calls a process may die.
type mortalLedger struct {
	*ledger.Ledger
	death *death
}

func (l mortalLedger) StepJob(ctx context.Context, j order.Job, step order.JobStep) (order.Job, error) {
	return around(l.death, func() (order.Job, error) { return l.Ledger.StepJob(ctx, j, step) })
}

func (l mortalLedger) EraseOrder(ctx context.Context, rec order.Record, by order.Intervention) error {
	_, err := around(l.death, func() (struct{}, error) { return struct{}{}, l.Ledger.EraseOrder(ctx, rec, by) })
	return err
}

// mortalOrders is an intake, likewise.
type mortalOrders struct {
	*intake.Intake
	death *death
}

func (o mortalOrders) Retry(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	return around(o.death, func() (order.Record, error) { return o.Intake.Retry(ctx, id, by) })
}

func (o mortalOrders) Cancel(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	return around(o.death, func() (order.Record, error) { return o.Intake.Cancel(ctx, id, by) })
}
