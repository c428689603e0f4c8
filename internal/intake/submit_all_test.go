package intake_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/redistest"
)

// batchOf returns n new orders, every third of them scheduled.
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

// checkAccepted checks that the ledger has every order as returned, and the queue its task.
func (b *bundle) checkAccepted(orders []order.Order, all []order.Acceptance, isNew bool) {
	b.t.Helper()
	if len(all) != len(orders) {
		b.t.Fatalf("%d results for %d orders", len(all), len(orders))
	}
	for i, a := range all {
		status, state := order.StatusPending, asynq.TaskStatePending
		if !orders[i].ProcessAt.IsZero() {
			status, state = order.StatusScheduled, asynq.TaskStateScheduled
		}
		if a.Err != nil || a.IsNew != isNew || a.Record.ID != orders[i].ID || a.Record.Status != status {
			b.t.Errorf("order %s: %+v", orders[i].ID, a)
		}
		stored, err := b.ledger.Get(b.t.Context(), orders[i].ID)
		if diff := cmp.Diff(a.Record, stored); err != nil || diff != "" {
			b.t.Errorf("order %s: %v, stored (-returned +stored):\n%s", orders[i].ID, err, diff)
		}
		if got := b.stateOf(orders[i].ID); got != state {
			b.t.Errorf("the task of %s is %v, want %v", orders[i].ID, got, state)
		}
	}
}

// TestSubmitAll checks that many orders are accepted at once, and are known when they are
// sent again.
func TestSubmitAll(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 60} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			b := open(t)
			orders := batchOf(t, n)
			b.checkAccepted(orders, b.SubmitAll(t.Context(), orders), true)
			b.checkAccepted(orders, b.SubmitAll(t.Context(), orders), false)
			if b.logged.Len() > 0 {
				t.Errorf("logged %q", b.logged)
			}
		})
	}
}

// TestSubmitAllRoom checks that the first orders of a batch get the room that is left, that
// known and refused orders need none, and that neither does a repeat within the batch.
func TestSubmitAllRoom(t *testing.T) {
	b := open(t)
	known := batchOf(t, 3)
	for _, o := range known {
		b.submit(o)
	}
	other := known[0]
	other.Notes = "different"
	in := newIntake(b.ledger, &fakeQueue{}, 4)
	for i, a := range in.SubmitAll(t.Context(), append([]order.Order{other}, known...)) {
		if conflict := errors.Is(a.Err, order.ErrConflict); conflict != (i == 0) || a.IsNew {
			t.Errorf("order %d: %+v", i, a)
		}
	}
	var fresh []order.Order
	for range 6 {
		fresh = append(fresh, ordertest.Order(t))
	}
	for i, a := range in.SubmitAll(t.Context(), append(fresh, known[1], other, fresh[0], unnamed(t))) {
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
	if n := b.totals().Accepted; n != 7 {
		t.Errorf("%d orders are accepted", n)
	}
}

// TestSubmitAllFaults breaks the write of the records and that of the tasks in both ways.
// Without records none of the orders has a result, and clients learn the ids that were made
// for them. Without tasks all are accepted, with one warning. A repeat completes either.
func TestSubmitAllFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run("records/"+fault.String(), func(t *testing.T) {
			b := open(t)
			orders := batchOf(t, 9)
			orders[3].ID, orders[4].ID = "", ""
			b.Breaker.Break(fault, redistest.Script("orders:"))
			for i, a := range b.SubmitAll(t.Context(), orders) {
				var uncertain *order.UncertainError
				if made := errors.As(a.Err, &uncertain); !errors.Is(a.Err, order.ErrUnavailable) || made != (orders[i].ID == "") || a.IsNew {
					t.Errorf("order %d: %+v", i, a)
				}
				if uncertain != nil {
					orders[i].ID = uncertain.ID
				}
			}
			b.checkBroken()
			if orders[3].ID == orders[4].ID {
				t.Errorf("both have the id %s", orders[3].ID)
			}
			for _, o := range orders {
				if queues := b.queuesOf(o.ID); len(queues) > 0 {
					t.Errorf("order %s may not be recorded, and is queued in %v", o.ID, queues)
				}
			}
			b.checkAccepted(orders, b.SubmitAll(t.Context(), orders), fault == redistest.NotApplied)
			if n := b.totals().Accepted; n != 9 {
				t.Errorf("%d orders are accepted", n)
			}
		})
		t.Run("tasks/"+fault.String(), func(t *testing.T) {
			b := open(t)
			orders := batchOf(t, 9)
			b.Breaker.Break(fault, func(c redis.Cmder) bool { return c.Name() == "sadd" })
			for i, a := range b.SubmitAll(t.Context(), orders) {
				if a.Err != nil || !a.IsNew || a.Record.ID != orders[i].ID {
					t.Errorf("order %d: %+v", i, a)
				}
			}
			b.checkBroken()
			b.checkWarned("orders=9")
			b.checkAccepted(orders, b.SubmitAll(t.Context(), orders), false)
		})
	}
}
