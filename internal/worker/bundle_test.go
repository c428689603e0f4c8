package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/rules"
	"orderprocessor/internal/worker"
)

const maxAttempts = 3

var (
	limits = rules.Limits{HighValueAbove: order.Cents(1_000_00), MaxAmount: order.Cents(10_000_00), MaxItems: 50}
	shop   = rules.Builtin(limits)
)

// bundle is what each test of the worker gets: books in a Redis of its own, one
// accepted order named o1, and a worker on a client that can be broken.
type bundle struct {
	*worker.Worker
	rdb     *redis.Client
	breaker *redistest.Breaker
	books   *ledger.Ledger // never broken
	broken  *ledger.Ledger // the worker's
	order   order.Order
}

func open(t *testing.T, opts ...ordertest.Option) *bundle {
	t.Helper()
	t.Parallel()
	server := redistest.Start(t)
	b := &bundle{rdb: server.Client(), breaker: &redistest.Breaker{}}
	broken := server.Client()
	broken.AddHook(b.breaker)
	b.books, b.broken = ledger.New(b.rdb), ledger.New(broken)
	b.order = ordertest.Order(t, append([]ordertest.Option{ordertest.WithID("o1")}, opts...)...)
	if _, _, err := ledgertest.Accept(t.Context(), b.books, b.order, shop.Queue(rules.Facts{Order: b.order})); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ledgertest.CheckBooks(t, b.rdb) })
	return b
}

// config gives attempts a second, and waits of as many seconds as there were
// attempts.
func config() worker.Config {
	return worker.Config{
		Name: "w1", Rules: rules.Fixed(limits, order.DefaultCurrency), MaxAttempts: maxAttempts, RetryFor: time.Hour, AttemptTimeout: time.Second,
		Backoff: seconds{}, Log: slog.New(slog.DiscardHandler),
	}
}

type seconds struct{}

func (seconds) Delay(n int) time.Duration { return time.Duration(n) * time.Second }

// hire gives the bundle its worker.
func (b *bundle) hire(f worker.Fulfilment) { b.Worker = worker.New(config(), b.broken, b.broken, f) }

// fulfilment is a shop's endpoint made of a function; it counts its calls.
type fulfilment struct {
	fulfil func(ctx context.Context, a order.Approval) (string, error)
	calls  atomic.Int32
}

func (f *fulfilment) Fulfil(ctx context.Context, a order.Approval) (string, error) {
	f.calls.Add(1)
	return f.fulfil(ctx, a)
}

// answers is a fulfilment that always says the same.
func answers(note string, err error) *fulfilment {
	return &fulfilment{fulfil: func(context.Context, order.Approval) (string, error) { return note, err }}
}

// verdict is what Work returned, in a form to compare.
type verdict struct {
	Kind   string
	After  time.Duration
	Reason string
}

const (
	acknowledge = "acknowledge"
	retryLater  = "retry"
	permanent   = "permanent"
	deliver     = "deliver again"
)

func verdictOf(err error) verdict {
	var retry *order.RetryError
	var final *order.PermanentError
	switch {
	case err == nil:
		return verdict{Kind: acknowledge}
	case errors.As(err, &final):
		return verdict{Kind: permanent, Reason: err.Error()}
	case errors.As(err, &retry):
		return verdict{Kind: retryLater, After: retry.After, Reason: err.Error()}
	default:
		return verdict{Kind: deliver}
	}
}

func (b *bundle) get(t *testing.T) order.Record {
	t.Helper()
	rec, err := b.books.Get(t.Context(), "o1")
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// ignoreTimes compares records by everything but the clock and the rules.
var ignoreTimes = cmp.Options{cmpopts.IgnoreTypes(time.Time{}, &order.Decision{}), cmpopts.EquateEmpty()}

// want compares the order's record with one that has this status, handling,
// error and attempts.
func (b *bundle) want(t *testing.T, s order.Status, h order.Handling, reason string, attempts ...order.Attempt) {
	t.Helper()
	want := order.Record{
		Order: b.order, Status: s, Queue: shop.Queue(rules.Facts{Order: b.order}), Handling: h, Error: reason, Attempts: attempts,
	}
	for _, a := range attempts {
		if a.Error == order.ReasonWorkerLost || a.Error == order.ReasonNoResult {
			want.WorkersLost++
		}
	}
	want.WorkersLost = min(want.WorkersLost, order.MaxWorkersLost-1) // recovery counts the last one
	if diff := cmp.Diff(want, b.get(t), ignoreTimes); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func attempt(number int, worker, reason, note string) order.Attempt {
	return order.Attempt{Number: number, Worker: worker, Error: reason, Note: note}
}
