package intake_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/batch/batchtest"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue/queuetest"
)

// stalledLedger is a ledger whose batches wait until the test continues, so that orders
// that arrive meanwhile share one.
type stalledLedger struct {
	intake.Ledger
	reached, resume chan struct{}
	once            sync.Once
	mu              sync.Mutex
	batches         []int // the number of orders in each
}

// stalled is an intake into a stalled ledger.
type stalled struct {
	*intake.Intake
	*stalledLedger
}

func (b *bundle) stalled() stalled {
	l := &stalledLedger{Ledger: b.ledger, reached: make(chan struct{}), resume: make(chan struct{})}
	admission := intake.NewAdmission(nil, nil, plenty)
	return stalled{intake.New(l, newProducer(b.RDB), shop, admission, slog.New(slog.DiscardHandler)), l}
}

func (l *stalledLedger) AcceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	l.mu.Lock()
	l.batches = append(l.batches, len(entries))
	l.mu.Unlock()
	l.once.Do(func() {
		close(l.reached)
		<-l.resume
	})
	return l.Ledger.AcceptAll(ctx, entries)
}

// submitTogether submits orders, each with its context, that share a batch.
func (s stalled) submitTogether(t *testing.T, ctxs []context.Context, orders []order.Order) []order.Acceptance {
	t.Helper()
	submit := func(ctx context.Context, o order.Order) (a order.Acceptance) {
		a.Record, a.IsNew, a.Err = s.Submit(ctx, o)
		return a
	}
	var sending sync.WaitGroup
	sending.Go(func() {
		first := ordertest.Order(t, ordertest.WithPriority(order.PriorityHigh))
		if a := submit(t.Context(), first); a.Err != nil || !a.IsNew {
			t.Errorf("the first order: %+v", a)
		}
	})
	<-s.reached
	answers := make([]order.Acceptance, len(orders))
	resume := func() { close(s.resume) }
	batchtest.Together(len(orders), resume, func(i int, join func(context.Context) context.Context) {
		answers[i] = submit(join(ctxs[i]), orders[i])
	})
	sending.Wait()
	if slices.Max(s.batches) < 2 { // one that waits for long lets a few go alone
		t.Errorf("no orders share a batch: %v", s.batches)
	}
	return answers
}

// TestSameResultAsAlone checks that each order of a batch, and each of several concurrent
// submissions, has the result that it would have alone.
func TestSameResultAsAlone(t *testing.T) {
	t.Parallel()
	for name, submit := range map[string]func(t *testing.T, b *bundle, orders []order.Order) []order.Acceptance{
		"batch": func(t *testing.T, b *bundle, orders []order.Order) []order.Acceptance {
			return b.SubmitAll(t.Context(), orders)
		},
		"concurrent": func(t *testing.T, b *bundle, orders []order.Order) []order.Acceptance {
			ctxs := make([]context.Context, len(orders))
			for i := range ctxs {
				ctxs[i] = t.Context()
			}
			return b.stalled().submitTogether(t, ctxs, orders)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			settled(order.StatusCompleted)(b)
			done := b.record().Order
			known := ordertest.Order(t, ordertest.WithID("known"))
			b.submit(known)
			queuetest.Must(t, b.Asynq.DeleteTask("default", "known"))
			other := ordertest.Order(t, ordertest.WithID("known"), ordertest.WithAmount("1"))
			twice := ordertest.Order(t, ordertest.WithID("twice"), ordertest.WithPriority(order.PriorityHigh))
			changed := ordertest.Order(t, ordertest.WithID("twice"), ordertest.WithPriority(order.PriorityLow))

			got := submit(t, b, []order.Order{other, known, unnamed(t), done, twice, twice, changed, unnamed(t)})
			type result struct {
				ID     string
				Status order.Status
				Queue  order.Queue
				IsNew  bool
				Err    error
			}
			var results []result
			for _, a := range got {
				results = append(results, result{a.Record.ID, a.Record.Status, a.Record.Queue, a.IsNew, a.Err})
			}
			made, later := got[2].Record.ID, got[7].Record.ID
			want := []result{
				{Err: order.ErrConflict},
				{"known", order.StatusPending, order.QueueDefault, false, nil},
				{made, order.StatusPending, order.QueueDefault, true, nil},
				{"o1", order.StatusCompleted, order.QueueDefault, false, nil},
				{"twice", order.StatusPending, order.QueueCritical, true, nil},
				{"twice", order.StatusPending, order.QueueCritical, false, nil},
				{Err: order.ErrConflict},
				{later, order.StatusPending, order.QueueDefault, true, nil},
			}
			if diff := cmp.Diff(want, results, cmpopts.EquateErrors()); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
			if !order.ValidID(made) || made >= later {
				t.Errorf("made ids %q, then %q", made, later)
			}
			for id, want := range map[string][]order.Queue{
				"known": {order.QueueDefault}, "o1": nil, "twice": {order.QueueCritical},
				made: {order.QueueDefault}, later: {order.QueueDefault},
			} {
				if diff := cmp.Diff(want, b.queuesOf(id)); diff != "" {
					t.Errorf("the queues of order %s (-want +got):\n%s", id, diff)
				}
			}
		})
	}
}

// TestGivingUp checks the error for a caller whose context ends before its order is
// recorded: the order may be recorded, and a made id is in the error.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	for _, named := range []bool{true, false} {
		t.Run(fmt.Sprintf("named %t", named), func(t *testing.T) {
			s := open(t).stalled()
			var first sync.WaitGroup
			first.Go(func() { _, _, _ = s.Submit(t.Context(), ordertest.Order(t)) })
			<-s.reached
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			o := ordertest.Order(t)
			if !named {
				o.ID = ""
			}
			rec, isNew, err := s.Submit(ctx, o)
			var uncertain *order.UncertainError
			if !errors.Is(err, order.ErrUnavailable) || isNew || rec.ID != "" || errors.As(err, &uncertain) == named {
				t.Errorf("answered %+v, %t, %v", rec, isNew, err)
			}
			if !named && (uncertain == nil || !order.ValidID(uncertain.ID)) {
				t.Errorf("the error %+v does not name the order", uncertain)
			}
			close(s.resume)
			first.Wait()
			if diff := cmp.Diff([]int{1}, s.batches); diff != "" {
				t.Errorf("an order was recorded that nobody waits for (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTraces checks that each of the orders that are enqueued together has its own trace in
// its task.
func TestTraces(t *testing.T) {
	b := open(t)
	const n, untraced = 6, 3
	orders, ctxs, want := make([]order.Order, n), make([]context.Context, n), make([]string, n)
	for i := range orders {
		orders[i] = ordertest.Order(t, ordertest.WithID(fmt.Sprint("o", i)))
		ctxs[i] = t.Context()
		if i != untraced {
			ctxs[i] = trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{ //nolint:fatcontext // each starts from the context of the test
				TraceID: trace.TraceID{15: byte(i + 1)}, SpanID: trace.SpanID{7: byte(i + 1)}, TraceFlags: trace.FlagsSampled,
			}))
			want[i] = fmt.Sprintf("00-%032x-%016x-01", i+1, i+1)
		}
	}
	b.stalled().submitTogether(t, ctxs, orders)
	for i, o := range orders {
		info := b.Task(order.QueueDefault, o.ID)
		if info == nil || info.Headers["traceparent"] != want[i] {
			t.Errorf("the task of order %d is %+v, want the trace %q", i, info, want[i])
		}
	}
}
