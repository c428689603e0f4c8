package intake_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue"
)

// gate is books whose first step waits until it is opened, and which count the orders
// of each step.
type gate struct {
	intake.Ledger
	reached, opened chan struct{}
	once            sync.Once
	steps           []int // one at a time: no lock
}

func newGate(l intake.Ledger) *gate {
	return &gate{Ledger: l, reached: make(chan struct{}), opened: make(chan struct{})}
}

func (g *gate) AcceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	g.steps = append(g.steps, len(entries))
	g.once.Do(func() {
		close(g.reached)
		<-g.opened
	})
	return g.Ledger.AcceptAll(ctx, entries)
}

// arriving is a context that tells when its caller begins to wait for its group.
type arriving struct {
	context.Context
	once    *sync.Once
	arrived chan struct{}
}

func (a arriving) Done() <-chan struct{} {
	a.once.Do(func() { close(a.arrived) })
	return a.Context.Done()
}

// submitTogether is what Take answers to orders that come while another one is under
// way, each with its context.
func (b *bundle) submitTogether(t *testing.T, in *intake.Intake, g *gate, ctxs []context.Context, orders []order.Order) []order.Acceptance {
	t.Helper()
	var all sync.WaitGroup
	take := func(ctx context.Context, o order.Order) (a order.Acceptance) {
		a.Record, a.IsNew, a.Err = in.Submit(ctx, o)
		return a
	}
	all.Go(func() {
		first := ordertest.Order(t, ordertest.WithPriority(order.PriorityHigh))
		if a := take(t.Context(), first); a.Err != nil || !a.IsNew {
			t.Errorf("the first order: %+v", a)
		}
	})
	<-g.reached
	answers := make([]order.Acceptance, len(orders))
	for i, o := range orders {
		own := arriving{ctxs[i], &sync.Once{}, make(chan struct{})}
		all.Go(func() { answers[i] = take(own, o) })
		<-own.arrived
	}
	close(g.opened)
	all.Wait()
	return answers
}

// concurrent is an intake into the bundle's books and queue, with room for so many
// orders, whose takes travel together as the test wants.
func (b *bundle) concurrent(room int) (*intake.Intake, *gate) {
	g := newGate(b.books)
	producer := queue.NewProducer(b.rdb, queue.ProducerConfig{AttemptTimeout: time.Second})
	return intake.New(g, producer, shop, intake.NewAdmission(nil, nil, room), slog.New(slog.NewTextHandler(b.logged, nil))), g
}

// contexts is the test's context, so many times.
func contexts(t *testing.T, n int) []context.Context {
	t.Helper()
	all := make([]context.Context, n)
	for i := range all {
		all[i] = t.Context()
	}
	return all
}

// TestConcurrent holds that orders which come at the same time are recorded in one
// step, and that each has the answer it would have alone.
func TestConcurrent(t *testing.T) {
	b := open(t)
	known := ordertest.Order(t, ordertest.WithID("known"))
	b.submit(t, known)
	other := ordertest.Order(t, ordertest.WithID("known"), ordertest.WithAmount("1"))
	unnamed := ordertest.Order(t)
	unnamed.ID = ""
	twice := ordertest.Order(t, ordertest.WithID("twice"), ordertest.WithPriority(order.PriorityHigh))
	orders := []order.Order{twice, known, unnamed, other, twice, unnamed, ordertest.Order(t, ordertest.WithID("last"))}
	in, g := b.concurrent(1000)
	got := b.submitTogether(t, in, g, contexts(t, len(orders)), orders)
	if diff := cmp.Diff([]int{1, len(orders)}, g.steps); diff != "" {
		t.Errorf("orders of each step (-want +got):\n%s", diff)
	}
	want := []struct {
		id       string
		isNew    bool
		conflict bool
	}{
		{"twice", true, false},
		{"known", false, false},
		{got[2].Record.ID, true, false},
		{"", false, true},
		{"twice", false, false},
		{got[5].Record.ID, true, false},
		{"last", true, false},
	}
	for i, a := range got {
		if a.Record.ID != want[i].id || a.IsNew != want[i].isNew || errors.Is(a.Err, order.ErrConflict) != want[i].conflict || !want[i].conflict && a.Err != nil {
			t.Errorf("order %d: %+v", i, a)
		}
		if a.Err == nil && len(b.queued(t, a.Record.ID)) != 1 {
			t.Errorf("order %s is queued in %v", a.Record.ID, b.queued(t, a.Record.ID))
		}
	}
	if a, z := got[2].Record.ID, got[5].Record.ID; !order.ValidID(a) || !order.ValidID(z) || a == z {
		t.Errorf("made ids %q and %q", a, z)
	}
}

// TestConcurrentGivingUp holds what a caller hears whose time is over before its
// order is recorded: that it may be, with the id that was made for it.
func TestConcurrentGivingUp(t *testing.T) {
	t.Parallel()
	for _, named := range []bool{true, false} {
		t.Run(fmt.Sprintf("named %t", named), func(t *testing.T) {
			b := open(t)
			in, g := b.concurrent(1000)
			var all sync.WaitGroup
			all.Go(func() { _, _, _ = in.Submit(t.Context(), ordertest.Order(t)) })
			<-g.reached
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			o := ordertest.Order(t)
			if !named {
				o.ID = ""
			}
			rec, isNew, err := in.Submit(ctx, o)
			var uncertain *order.UncertainError
			if !errors.Is(err, order.ErrUnavailable) || isNew || rec.ID != "" || errors.As(err, &uncertain) == named {
				t.Errorf("answered %+v, %t, %v", rec, isNew, err)
			}
			if !named && (uncertain == nil || !order.ValidID(uncertain.ID)) {
				t.Errorf("the error %+v does not name the order", uncertain)
			}
			close(g.opened)
			all.Wait()
			if diff := cmp.Diff([]int{1}, g.steps); diff != "" {
				t.Errorf("an order was recorded that nobody waits for (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConcurrentTraces holds that each of the orders which are queued together
// carries its own trace to its worker, and none that of another.
func TestConcurrentTraces(t *testing.T) {
	b := open(t)
	const n = 6
	orders, want := make([]order.Order, n), make([]string, n)
	var ctxs []context.Context
	for i := range orders {
		orders[i] = ordertest.Order(t, ordertest.WithID(fmt.Sprint("o", i)))
		if i == 3 {
			ctxs = append(ctxs, t.Context()) // its client sends no trace
			continue
		}
		ctxs = append(ctxs, sampled(t, byte(i+1)))
		want[i] = fmt.Sprintf("00-%032x-%016x-01", i+1, i+1)
	}
	in, g := b.concurrent(1000)
	b.submitTogether(t, in, g, ctxs, orders)
	for i := range orders {
		info, err := b.asynq.GetTaskInfo("default", orders[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Headers["traceparent"]; got != want[i] {
			t.Errorf("the task of order %d has the trace %q, want %q", i, got, want[i])
		}
	}
}

// sampled is the test's context with a trace of its own.
func sampled(t *testing.T, n byte) context.Context {
	t.Helper()
	return trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{15: n}, SpanID: trace.SpanID{7: n}, TraceFlags: trace.FlagsSampled,
	}))
}

// TestConcurrentFaults holds that when the books cannot be asked, all who came
// together hear so, each with its own id, and that nothing is queued.
func TestConcurrentFaults(t *testing.T) {
	b := open(t)
	unnamed := ordertest.Order(t)
	unnamed.ID = ""
	orders := []order.Order{ordertest.Order(t), unnamed, ordertest.Order(t), unnamed}
	q, l := &tasks{}, &failing{}
	g := newGate(l)
	in := intake.New(g, q, shop, intake.NewAdmission(nil, nil, 1000), slog.New(slog.DiscardHandler))
	made := map[string]bool{}
	for i, a := range b.submitTogether(t, in, g, contexts(t, len(orders)), orders) {
		var uncertain *order.UncertainError
		if isMade := i%2 == 1; !errors.Is(a.Err, order.ErrUnavailable) || errors.As(a.Err, &uncertain) != isMade {
			t.Errorf("order %d: %+v", i, a)
		}
		if uncertain != nil {
			made[uncertain.ID] = true
		}
	}
	if len(made) != 2 || len(q.ids) != 1 {
		t.Errorf("the made ids are %v, queued %s", made, strings.Join(q.ids, ", "))
	}
}

// failing is books that are away after their first step.
type failing struct {
	books
	asked bool
}

func (f *failing) AcceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	if f.asked {
		return nil, order.ErrUnavailable
	}
	f.asked = true
	return f.books.AcceptAll(ctx, entries)
}
