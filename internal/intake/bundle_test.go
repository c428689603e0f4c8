package intake_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/rules"
	"orderprocessor/internal/stats"
)

// TestMain checks that no admission leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var shop = rules.Fixed(rules.Limits{HighValueAbove: order.Cents(1_000_00), MaxAmount: order.Cents(10_000_00), MaxItems: 50}, order.DefaultCurrency)

// bundle is what each test gets: an intake with a real ledger and queue in a Redis of its
// own, on the client that can be broken.
type bundle struct {
	*intake.Intake
	*queuetest.Redis
	t      *testing.T
	ledger *ledger.Ledger // never broken
	logged *bytes.Buffer
}

func open(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	r, log := queuetest.Start(t), &bytes.Buffer{}
	l := ledger.New(r.Broken)
	admission := intake.NewAdmission(queue.NewInspector(r.Broken, 1), l, 1000)
	in := intake.New(l, newProducer(r.Broken), shop, admission, slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { ledgertest.CheckBooks(t, r.RDB) })
	return &bundle{in, r, t, ledger.New(r.RDB), log}
}

func newProducer(rdb redis.UniversalClient) *queue.Producer {
	return queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: time.Second})
}

// newIntake returns an intake with room for so many orders.
func newIntake(l intake.Ledger, q intake.Queue, room int) *intake.Intake {
	return intake.New(l, q, shop, intake.NewAdmission(nil, nil, room), slog.New(slog.DiscardHandler))
}

const plenty = 1_000_000

// unnamed returns a new order without an id.
func unnamed(t *testing.T) order.Order {
	t.Helper()
	o := ordertest.Order(t)
	o.ID = ""
	return o
}

// submit submits an order that must be accepted.
func (b *bundle) submit(o order.Order) order.Record {
	b.t.Helper()
	rec, _, err := b.Submit(b.t.Context(), o)
	queuetest.Must(b.t, err)
	return rec
}

// queuesOf returns the queues in which the order has a task.
func (b *bundle) queuesOf(id string) (queues []order.Queue) {
	for _, q := range order.Queues() {
		if b.Task(q, id) != nil {
			queues = append(queues, q)
		}
	}
	return queues
}

// noTask is the state of an order's task if there is none.
const noTask = asynq.TaskState(0)

// stateOf returns the state of the order's task in the default queue.
func (b *bundle) stateOf(id string) asynq.TaskState {
	if info := b.Task(order.QueueDefault, id); info != nil {
		return info.State
	}
	return noTask
}

// checkTask checks the state of the task of o1.
func (b *bundle) checkTask(when string, want asynq.TaskState) {
	b.t.Helper()
	if state := b.stateOf("o1"); state != want {
		b.t.Errorf("%s the task is %v, want %v", when, state, want)
	}
}

// record returns o1 from the ledger, the zero record if it is unknown.
func (b *bundle) record() order.Record {
	b.t.Helper()
	rec, err := b.ledger.Get(b.t.Context(), "o1")
	if err != nil && !errors.Is(err, order.ErrNotFound) {
		b.t.Fatal(err)
	}
	return rec
}

func (b *bundle) totals() stats.Totals {
	b.t.Helper()
	totals, err := b.ledger.Totals(b.t.Context())
	queuetest.Must(b.t, err)
	return totals
}

// attempt begins an attempt at the order.
func (b *bundle) attempt(id string) order.Claim {
	b.t.Helper()
	c := order.Claim{ID: id, Token: "t", Worker: "w", Handling: order.HandlingStandard, MaxAttempts: 3}
	_, err := b.ledger.Begin(b.t.Context(), c)
	queuetest.Must(b.t, err)
	return c
}

// checkBroken checks that one command was broken.
func (b *bundle) checkBroken() {
	b.t.Helper()
	if n := b.Breaker.Fired(); n != 1 {
		b.t.Fatalf("%d commands were broken", n)
	}
}

// checkWarned checks that the log has one line, a warning with this text.
func (b *bundle) checkWarned(text string) {
	b.t.Helper()
	if log := b.logged.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=WARN") || !strings.Contains(log, text) {
		b.t.Errorf("logged %q, want one warning with %s", log, text)
	}
}

// The scripts of Asynq that delete a task and that add a pending one.
var removes, enqueues = queuetest.SecondKey(":groups"), queuetest.SecondKey(":pending")

// step brings order o1 into a state.
type step func(b *bundle)

// accepted makes it pending, with its task.
func accepted(b *bundle) { b.submit(ordertest.Order(b.t, ordertest.WithID("o1"))) }

// scheduled makes it wait for an hour, with its task.
func scheduled(b *bundle) {
	b.submit(ordertest.Order(b.t, ordertest.WithID("o1"), ordertest.WithProcessAt(time.Now().Add(time.Hour))))
}

// processing begins an attempt.
func processing(b *bundle) {
	accepted(b)
	b.attempt("o1")
}

// retrying fails an attempt.
func retrying(b *bundle) {
	accepted(b)
	queuetest.Must(b.t, b.ledger.Fail(b.t.Context(), b.attempt("o1"), order.Failure{Error: "busy", RetryIn: time.Minute}))
}

// decided gives it an outcome before its task is acknowledged.
func decided(s order.Status) step {
	return func(b *bundle) {
		accepted(b)
		out := order.Outcome{Status: s}
		if s != order.StatusCompleted {
			out.Error = "the reason"
		}
		queuetest.Must(b.t, b.ledger.Settle(b.t.Context(), b.attempt("o1"), out))
	}
}

// settled gives it an outcome, and deletes its task.
func settled(s order.Status) step { return withoutTask(decided(s)) }

// archived makes it fail, and archives its task as the worker and Asynq do.
func archived(b *bundle) {
	decided(order.StatusFailed)(b)
	queuetest.Must(b.t, b.Asynq.ArchiveTask("default", "o1"))
}

// cancelled cancels it with the reason "first".
func cancelled(b *bundle) {
	scheduled(b)
	_, err := b.Cancel(b.t.Context(), "o1", order.Intervention{Actor: "ops", Reason: "first"})
	queuetest.Must(b.t, err)
}

// withoutTask deletes its task afterwards, as a crash before enqueuing would.
func withoutTask(s step) step {
	return func(b *bundle) {
		s(b)
		queuetest.Must(b.t, b.Asynq.DeleteTask("default", "o1"))
	}
}

func unknown(*bundle) {}
