package intake_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/redistest"
)

// batchOf returns n new orders, every third of them for later.
func batchOf(t *testing.T, n int) []order.Order {
	t.Helper()
	at := time.Now().Add(time.Hour)
	orders := make([]order.Order, n)
	for i := range orders {
		opts := []ordertest.Option{ordertest.WithID(fmt.Sprintf("o%d", i))}
		if i%3 == 2 {
			opts = append(opts, ordertest.WithProcessAt(at))
		}
		orders[i] = ordertest.Order(t, opts...)
	}
	return orders
}

// checkAccepted wants every order in the books as the answers say, and with its task.
func (b *bundle) checkAccepted(t *testing.T, orders []order.Order, all []order.Acceptance, isNew bool) {
	t.Helper()
	if len(all) != len(orders) {
		t.Fatalf("%d answers to %d orders", len(all), len(orders))
	}
	for i, a := range all {
		status, state := order.StatusPending, asynq.TaskStatePending
		if !orders[i].ProcessAt.IsZero() {
			status, state = order.StatusScheduled, asynq.TaskStateScheduled
		}
		if a.Err != nil || a.IsNew != isNew || a.Record.ID != orders[i].ID || a.Record.Status != status {
			t.Errorf("order %s: %+v", orders[i].ID, a)
		}
		stored, err := b.books.Get(t.Context(), orders[i].ID)
		if diff := cmp.Diff(a.Record, stored); err != nil || diff != "" {
			t.Errorf("order %s: %v, stored (-returned +stored):\n%s", orders[i].ID, err, diff)
		}
		if got := b.stateOf(orders[i].ID); got != state {
			t.Errorf("the task of %s is %v, want %v", orders[i].ID, got, state)
		}
	}
}

// TestSubmitAll holds that many orders are taken in at once, and when they are sent
// again are the same.
func TestSubmitAll(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 60} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			b := open(t)
			orders := batchOf(t, n)
			b.checkAccepted(t, orders, b.SubmitAll(t.Context(), orders), true)
			b.checkAccepted(t, orders, b.SubmitAll(t.Context(), orders), false)
			if b.logged.Len() > 0 {
				t.Errorf("logged %q", b.logged)
			}
		})
	}
}

// TestSubmitAllLikeSubmit holds that an order in a batch meets what it would meet alone,
// whatever stands beside it.
func TestSubmitAllLikeSubmit(t *testing.T) {
	b := open(t)
	known := ordertest.Order(t, ordertest.WithID("known"))
	done := ordertest.Order(t, ordertest.WithID("done"))
	b.submit(t, known)
	b.submit(t, done)
	b.dequeue(t, order.QueueDefault, "known")
	b.dequeue(t, order.QueueDefault, "done")
	if err := b.books.Settle(t.Context(), b.attempt(t, "done"), order.Outcome{Status: order.StatusCompleted}); err != nil {
		t.Fatal(err)
	}
	other := ordertest.Order(t, ordertest.WithID("known"), ordertest.WithAmount("1"))
	twice := ordertest.Order(t, ordertest.WithID("twice"), ordertest.WithPriority(order.PriorityHigh))
	changed := ordertest.Order(t, ordertest.WithID("twice"), ordertest.WithPriority(order.PriorityLow))
	unnamed := ordertest.Order(t)
	unnamed.ID = ""

	got := b.SubmitAll(t.Context(), []order.Order{other, known, unnamed, done, twice, twice, changed, unnamed})
	type answer struct {
		ID     string
		Status order.Status
		Queue  order.Queue
		IsNew  bool
		Err    error
	}
	var answers []answer
	for _, a := range got {
		answers = append(answers, answer{a.Record.ID, a.Record.Status, a.Record.Queue, a.IsNew, a.Err})
	}
	want := []answer{
		{Err: order.ErrConflict},
		{"known", order.StatusPending, order.QueueDefault, false, nil},
		{got[2].Record.ID, order.StatusPending, order.QueueDefault, true, nil},
		{"done", order.StatusCompleted, order.QueueDefault, false, nil},
		{"twice", order.StatusPending, order.QueueCritical, true, nil},
		{"twice", order.StatusPending, order.QueueCritical, false, nil},
		{Err: order.ErrConflict},
		{got[7].Record.ID, order.StatusPending, order.QueueDefault, true, nil},
	}
	if diff := cmp.Diff(want, answers, cmpopts.EquateErrors()); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if a, z := got[2].Record.ID, got[7].Record.ID; !order.ValidID(a) || a >= z {
		t.Errorf("made ids %q, then %q", a, z)
	}
	for id, want := range map[string][]order.Queue{
		"known": {order.QueueDefault}, "done": nil, "twice": {order.QueueCritical},
		got[2].Record.ID: {order.QueueDefault}, got[7].Record.ID: {order.QueueDefault},
	} {
		if diff := cmp.Diff(want, b.queued(t, id)); diff != "" {
			t.Errorf("order %s is queued in (-want +got):\n%s", id, diff)
		}
	}
}

// TestSubmitAllRoom holds that a batch takes the places there are, from its front,
// that orders which were known or refused give theirs back, and that one which was
// accepted further in front needs none.
func TestSubmitAllRoom(t *testing.T) {
	b := open(t)
	known := batchOf(t, 3)
	for _, o := range known {
		b.submit(t, o)
	}
	other := known[0]
	other.Notes = "different"
	in := intake.New(b.books, &tasks{}, shop, intake.NewAdmission(nil, nil, 4), slog.New(slog.DiscardHandler))
	orders := append([]order.Order{other}, known...)
	for i, a := range in.SubmitAll(t.Context(), orders) {
		if conflict := errors.Is(a.Err, order.ErrConflict); conflict != (i == 0) || a.IsNew {
			t.Errorf("order %d: %+v", i, a)
		}
	}
	var fresh []order.Order
	for range 6 {
		fresh = append(fresh, ordertest.Order(t))
	}
	unnamed := fresh[0]
	unnamed.ID = ""
	for i, a := range in.SubmitAll(t.Context(), append(fresh, known[1], other, fresh[0], unnamed)) {
		var busy *order.BusyError
		switch {
		case i < 4 && (a.Err != nil || !a.IsNew),
			(i == 4 || i == 5 || i == 9) && !errors.As(a.Err, &busy),
			i == 6 && (a.Err != nil || a.IsNew || a.Record.ID != known[1].ID),
			i == 7 && !errors.Is(a.Err, order.ErrConflict),
			i == 8 && (a.Err != nil || a.IsNew || a.Record.ID != fresh[0].ID):
			t.Errorf("order %d: %+v", i, a)
		}
	}
	totals, err := b.books.Totals(t.Context())
	if err != nil || totals.Accepted != 7 {
		t.Errorf("%d orders accepted, %v", totals.Accepted, err)
	}
}

// TestSubmitAllAcceptFaults breaks the write of the records in both ways a network
// can: none of the orders has an answer, those whose id was made learn it, and all
// are in once after they are sent again.
func TestSubmitAllAcceptFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			orders := batchOf(t, 9)
			orders[4].ID = ""
			b.breaker.Break(fault, redistest.Script("orders:"))
			for i, a := range b.SubmitAll(t.Context(), orders) {
				var uncertain *order.UncertainError
				if made := errors.As(a.Err, &uncertain); !errors.Is(a.Err, order.ErrUnavailable) || made != (i == 4) || a.IsNew {
					t.Errorf("order %d: %+v", i, a)
				}
				if i == 4 {
					orders[i].ID = uncertain.ID
				}
			}
			if b.breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.breaker.Fired())
			}
			for _, o := range orders {
				if tasks := b.queued(t, o.ID); len(tasks) > 0 {
					t.Errorf("order %s, which may not be recorded, is queued in %v", o.ID, tasks)
				}
			}
			b.checkAccepted(t, orders, b.SubmitAll(t.Context(), orders), fault == redistest.NotApplied)
			totals, err := b.books.Totals(t.Context())
			if err != nil || totals.Accepted != 9 {
				t.Errorf("%d orders accepted, %v", totals.Accepted, err)
			}
		})
	}
}

// TestSubmitAllEnqueueFaults breaks the writing of the tasks in both ways a network
// can. All orders are accepted, one line in the log says that some wait, and they
// have their tasks after they are sent again.
func TestSubmitAllEnqueueFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			orders := batchOf(t, 9)
			b.breaker.Break(fault, func(c redis.Cmder) bool { return c.Name() == "sadd" })
			for i, a := range b.SubmitAll(t.Context(), orders) {
				if a.Err != nil || !a.IsNew || a.Record.ID != orders[i].ID {
					t.Errorf("order %d: %+v", i, a)
				}
			}
			if b.breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.breaker.Fired())
			}
			if log := b.logged.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "orders=9") {
				t.Errorf("logged %q", log)
			}
			b.checkAccepted(t, orders, b.SubmitAll(t.Context(), orders), false)
		})
	}
}
