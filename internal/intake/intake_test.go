package intake_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/rules"
)

var shop = rules.Rules{HighValueAbove: 1_000_00, MaxAmount: 10_000_00, MaxItems: 50}

// bundle is what each test of intake gets: real books and a real queue in a
// Redis of its own, on a client that can be broken.
type bundle struct {
	*intake.Intake
	rdb     *redis.Client
	breaker *redistest.Breaker
	books   *ledger.Ledger   // never broken
	asynq   *asynq.Inspector // never broken
	logged  *bytes.Buffer
}

func open(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	server := redistest.Start(t)
	b := &bundle{rdb: server.Client(), breaker: &redistest.Breaker{}, logged: &bytes.Buffer{}}
	broken := server.Client()
	b.books, b.asynq = ledger.New(b.rdb), asynq.NewInspectorFromRedisClient(b.rdb)
	producer := queue.NewProducer(broken, queue.ProducerConfig{AttemptTimeout: time.Second})
	broken.AddHook(b.breaker) // behind the producer's hook, so that it breaks what travels
	gate := intake.NewAdmission(queue.NewInspector(broken), ledger.New(broken), 1000)
	b.Intake = intake.New(ledger.New(broken), producer, shop, gate, slog.New(slog.NewTextHandler(b.logged, nil)))
	t.Cleanup(func() { ledgertest.CheckBooks(t, b.rdb) })
	return b
}

// submit submits an order that must be accepted.
func (b *bundle) submit(t *testing.T, o order.Order) order.Record {
	t.Helper()
	rec, _, err := b.Submit(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// queued says whether the order has a task, and where.
func (b *bundle) queued(t *testing.T, id string) (in []order.Queue) {
	t.Helper()
	for _, q := range order.Queues() {
		if _, err := b.asynq.GetTaskInfo(string(q), id); err == nil {
			in = append(in, q)
		}
	}
	return in
}

// dequeue takes the order's task away, as a crash before queuing it would.
func (b *bundle) dequeue(t *testing.T, q order.Queue, id string) {
	t.Helper()
	if err := b.asynq.DeleteTask(string(q), id); err != nil {
		t.Fatal(err)
	}
}

// attempt begins an attempt at the order.
func (b *bundle) attempt(t *testing.T, id string) order.Claim {
	t.Helper()
	c := order.Claim{ID: id, Token: "t", Worker: "w", Handling: order.HandlingStandard, MaxAttempts: 3}
	if _, err := b.books.Begin(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSubmitNew holds that a new order is in the books and in the queue that the
// rules choose.
func TestSubmitNew(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		opts []ordertest.Option
		want order.Queue
	}{
		{"ordinary", nil, order.QueueDefault},
		{"urgent", []ordertest.Option{ordertest.WithPriority(order.PriorityHigh)}, order.QueueCritical},
		{"of high value", []ordertest.Option{ordertest.WithAmount("1000.01")}, order.QueueCritical},
		{"not urgent", []ordertest.Option{ordertest.WithPriority(order.PriorityLow)}, order.QueueLow},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			o := ordertest.Order(t, row.opts...)
			rec, isNew, err := b.Submit(t.Context(), o)
			if err != nil || !isNew {
				t.Fatalf("new %t, %v", isNew, err)
			}
			want := order.Record{Order: o, Status: order.StatusPending, Queue: row.want}
			if diff := cmp.Diff(want, rec, cmpopts.IgnoreTypes(time.Time{})); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			stored, err := b.books.Get(t.Context(), o.ID)
			if diff := cmp.Diff(rec, stored); err != nil || diff != "" {
				t.Errorf("%v, stored (-returned +stored):\n%s", err, diff)
			}
			if diff := cmp.Diff([]order.Queue{row.want}, b.queued(t, o.ID)); diff != "" {
				t.Errorf("queued in (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSubmitKnown holds what a repeated submission does, by what has become of
// the order since.
func TestSubmitKnown(t *testing.T) {
	t.Parallel()
	settle := func(t *testing.T, b *bundle) {
		t.Helper()
		c := b.attempt(t, "o1")
		if err := b.books.Settle(t.Context(), c, order.Outcome{Status: order.StatusCompleted}); err != nil {
			t.Fatal(err)
		}
	}
	fail := func(t *testing.T, b *bundle) {
		t.Helper()
		c := b.attempt(t, "o1")
		if err := b.books.Fail(t.Context(), c, order.Failure{Error: "busy", RetryIn: time.Minute}); err != nil {
			t.Fatal(err)
		}
	}
	rows := []struct {
		name   string
		since  func(*testing.T, *bundle)
		status order.Status
		tasks  int
	}{
		{"waiting with its task", nil, order.StatusPending, 1},
		{"waiting without a task", func(t *testing.T, b *bundle) {
			t.Helper()
			b.dequeue(t, order.QueueDefault, "o1")
		}, order.StatusPending, 1},
		{"being worked", func(t *testing.T, b *bundle) {
			t.Helper()
			b.dequeue(t, order.QueueDefault, "o1")
			b.attempt(t, "o1")
		}, order.StatusProcessing, 0},
		{"waiting for its next attempt", func(t *testing.T, b *bundle) {
			t.Helper()
			b.dequeue(t, order.QueueDefault, "o1")
			fail(t, b)
		}, order.StatusRetrying, 0},
		{"settled", func(t *testing.T, b *bundle) {
			t.Helper()
			b.dequeue(t, order.QueueDefault, "o1")
			settle(t, b)
		}, order.StatusCompleted, 0},
		{"withdrawn", func(t *testing.T, b *bundle) {
			t.Helper()
			b.dequeue(t, order.QueueDefault, "o1")
			if _, err := b.books.Cancel(t.Context(), "o1", ""); err != nil {
				t.Fatal(err)
			}
		}, order.StatusCancelled, 0},
		{"retried, not queued yet", func(t *testing.T, b *bundle) {
			t.Helper()
			b.dequeue(t, order.QueueDefault, "o1")
			c := b.attempt(t, "o1")
			if err := b.books.Settle(t.Context(), c, order.Outcome{Status: order.StatusFailed, Error: "busy"}); err != nil {
				t.Fatal(err)
			}
			if _, err := b.books.Retry(t.Context(), "o1", "r"); err != nil {
				t.Fatal(err)
			}
		}, order.StatusPending, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			o := ordertest.Order(t, ordertest.WithID("o1"))
			b.submit(t, o)
			if row.since != nil {
				row.since(t, b)
			}
			rec, isNew, err := b.Submit(t.Context(), o)
			if err != nil || isNew || rec.Status != row.status {
				t.Errorf("answered %s, new %t, %v, want %s", rec.Status, isNew, err, row.status)
			}
			if n := len(b.queued(t, "o1")); n != row.tasks {
				t.Errorf("the order has %d tasks, want %d", n, row.tasks)
			}
		})
	}
}

// TestSubmitMakesID holds that an order without an id gets one that sorts by time.
func TestSubmitMakesID(t *testing.T) {
	b := open(t)
	last := ""
	for range 100 {
		o := ordertest.Order(t)
		o.ID = ""
		rec, isNew, err := b.Submit(t.Context(), o)
		if err != nil || !isNew {
			t.Fatalf("new %t, %v", isNew, err)
		}
		id, err := uuid.Parse(rec.ID)
		if err != nil || id.Version() != 7 || !order.ValidID(rec.ID) || rec.ID != id.String() {
			t.Errorf("id %q: version %d, %v", rec.ID, id.Version(), err)
		}
		if rec.ID <= last {
			t.Errorf("id %q after %q", rec.ID, last)
		}
		last = rec.ID
		if len(b.queued(t, rec.ID)) != 1 {
			t.Errorf("order %s is not queued", rec.ID)
		}
	}
}

// TestEnqueueFaults breaks each write of the task in both ways a network can. The
// order is accepted all the same. If it is not queued then, a line in the log says
// why it waits; a script that broke was made up for.
func TestEnqueueFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		match  func(redis.Cmder) bool
		nth    int // of those that match
		warned bool
	}{
		{"name the queue", func(c redis.Cmder) bool { return c.Name() == "sadd" }, 1, true},
		{"add the task", redistest.Script("asynq:"), 1, false},
		{"add the task again", redistest.Script("asynq:"), 2, false},
	}
	for _, row := range rows {
		for _, fault := range redistest.Faults() {
			t.Run(row.name+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				o := ordertest.Order(t, ordertest.WithID("o1"))
				b.breakNth(row.nth, fault, row.match)
				rec, isNew, err := b.Submit(t.Context(), o)
				if err != nil || !isNew || rec.ID != "o1" || rec.Status != order.StatusPending {
					t.Errorf("answered %+v, new %t, %v", rec, isNew, err)
				}
				if b.breaker.Fired() != 1 {
					t.Fatalf("%d commands were broken", b.breaker.Fired())
				}
				if log := b.logged.String(); row.warned && strings.Count(log, "level=WARN") != 1 || strings.Contains(log, "order_id=o1") != row.warned {
					t.Errorf("logged %q", log)
				}
				if n := len(b.queued(t, "o1")); !row.warned && n != 1 {
					t.Errorf("the order has %d tasks", n)
				}
				b.submit(t, o)
				if diff := cmp.Diff([]order.Queue{order.QueueDefault}, b.queued(t, "o1")); diff != "" {
					t.Errorf("queued after the repeat in (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// breakNth breaks the n-th command that matches.
func (b *bundle) breakNth(n int, f redistest.Fault, match func(redis.Cmder) bool) {
	seen := 0
	b.breaker.Break(f, func(c redis.Cmder) bool {
		if !match(c) {
			return false
		}
		seen++
		return seen >= n
	})
}

// books is a ledger that accepts everything once, or answers an error.
type books struct {
	intake.Ledger // the rest, which no test of these asks for
	mu            sync.Mutex
	known         map[string]bool
	err           error
}

func (b *books) AcceptAll(_ context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	if b.known == nil {
		b.known = map[string]bool{}
	}
	all := make([]order.Acceptance, len(entries))
	for i, e := range entries {
		all[i] = order.Acceptance{
			Record: order.Record{Order: e.Order, Status: order.StatusPending, Queue: e.Queue}, IsNew: !b.known[e.ID],
		}
		b.known[e.ID] = true
	}
	return all, nil
}

// Get finds no record: these books remember ids only.
func (b *books) Get(context.Context, string) (order.Record, error) {
	return order.Record{}, order.ErrNotFound
}

// tasks counts what is queued.
type tasks struct {
	intake.Queue // the rest
	mu           sync.Mutex
	ids          []string
}

func (q *tasks) EnqueueAll(_ context.Context, waiting []order.Handover) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range waiting {
		q.ids = append(q.ids, h.Record.ID)
	}
	return nil
}

// TestMadeIDIsNew holds that an order whose id was made by this call is new,
// even when the ledger knows it: the accept was repeated on its way to Redis.
func TestMadeIDIsNew(t *testing.T) {
	t.Parallel()
	in := intake.New(knows{}, &tasks{}, shop, intake.NewAdmission(nil, nil, 1), slog.New(slog.DiscardHandler))
	o := ordertest.Order(t)
	if _, isNew, err := in.Submit(t.Context(), o); isNew || err != nil {
		t.Errorf("the client's id: new %t, %v", isNew, err)
	}
	o.ID = ""
	if _, isNew, err := in.Submit(t.Context(), o); !isNew || err != nil {
		t.Errorf("the made id: new %t, %v", isNew, err)
	}
}

// knows is a ledger that knows every order.
type knows struct{ intake.Ledger }

func (knows) AcceptAll(_ context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	all := make([]order.Acceptance, len(entries))
	for i, e := range entries {
		all[i].Record = order.Record{Order: e.Order, Status: order.StatusCompleted, Queue: e.Queue}
	}
	return all, nil
}

func (knows) Get(context.Context, string) (order.Record, error) {
	return order.Record{}, order.ErrNotFound
}

// TestSubmitPassesErrors holds that intake adds nothing to what the ledger says,
// and queues nothing then.
func TestSubmitPassesErrors(t *testing.T) {
	t.Parallel()
	for _, want := range []error{order.ErrUnavailable, order.ErrConflict, errors.New("odd")} {
		l, q := &books{err: want}, &tasks{}
		in := intake.New(l, q, shop, intake.NewAdmission(nil, nil, 1), slog.New(slog.DiscardHandler))
		for range 2 { // a failed submission takes no room
			rec, isNew, err := in.Submit(t.Context(), ordertest.Order(t))
			if !errors.Is(err, want) || isNew || !cmp.Equal(rec, order.Record{}) {
				t.Errorf("answered %+v, %t, %v, want %v", rec, isNew, err, want)
			}
		}
		if len(q.ids) != 0 {
			t.Errorf("queued %v", q.ids)
		}
	}
}

// TestSubmitKnownWhenFull holds that full queues keep nobody from hearing of an
// order that was accepted before, and that they accept nothing.
func TestSubmitKnownWhenFull(t *testing.T) {
	b := open(t)
	known := ordertest.Order(t)
	rec := b.submit(t, known)
	other := known
	other.Notes = "different"
	unnamed := known
	unnamed.ID = ""
	full := intake.New(b.books, &tasks{}, shop, intake.NewAdmission(nil, nil, 0), slog.New(slog.DiscardHandler))

	got, isNew, err := full.Submit(t.Context(), known)
	if diff := cmp.Diff(rec, got); err != nil || isNew || diff != "" {
		t.Errorf("the same order: new %t, %v (-want +got):\n%s", isNew, err, diff)
	}
	if _, _, err := full.Submit(t.Context(), other); !errors.Is(err, order.ErrConflict) {
		t.Errorf("the same id with other content answered %v", err)
	}
	for _, o := range []order.Order{unnamed, ordertest.Order(t)} {
		var busy *order.BusyError
		if _, _, err := full.Submit(t.Context(), o); !errors.As(err, &busy) {
			t.Errorf("a new order answered %v", err)
		}
	}
}
