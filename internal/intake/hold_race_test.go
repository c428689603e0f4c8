package intake_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/worker"
)

const (
	// racedOrders is how many orders are held in the quick form of the race, and
	// racedOrdersLong in the long one.
	racedOrders, racedOrdersLong = 3_000, 10_000
	// racedAtOnce is how many of them are contested at the same time.
	racedAtOnce = 64
)

// contests are who tries to end the hold of an order, at the same time. Order n has the
// n-th of them, round and round. A delivery is a stale task of the order, which may not end
// the hold; a worker holds no more than one. The holds of the last contest all expire, and
// of the others those of one round in three with a release, and of one with a rejection.
var contests = [][]string{
	{"expire", "release", "reject"},
	{"expire", "release", "cancel"},
	{"expire", "reject", "cancel"},
	{"release", "reject", "cancel", "deliver"},
	{"expire", "release", "release", "deliver"},
	{"expire", "reject", "reject", "deliver"},
	{"expire", "cancel", "deliver"},
	{"expire", "expire", "deliver"},
}

// holdRace is a race for held orders.
type holdRace struct {
	*bundle
	worker  *worker.Worker
	repairs *recovery.Repairer
	orders  []*racedOrder
}

// racedOrder is an order, and what its contestants were told.
type racedOrder struct {
	id      string
	verdict map[string][]error // by contestant

	mu    sync.Mutex
	calls []time.Time // of the shop, by the clock of Redis
}

func (o *racedOrder) told(contestant string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.verdict[contestant] = append(o.verdict[contestant], err)
}

// TestHoldRaces holds many orders and has people, clients, expiry and workers contest each.
// Each order has one verdict, everybody was told what the timeline says, and the shop was
// not called for an order that was held, rejected or cancelled.
func TestHoldRaces(t *testing.T) {
	n := racedOrders
	if os.Getenv("CHAOS") == "long" {
		n = racedOrdersLong
	}
	r := newHoldRace(t, n)
	r.each(func(o *racedOrder) {
		r.contest(o, []string{"deliver", "deliver"}) // one of which holds it
		r.contest(o, contests[r.index(o)%len(contests)])
	})
	r.expire()
	r.each(func(o *racedOrder) {
		r.checkTask(o)
		r.deliver(o)
	})
	verdicts := map[string]int{}
	for _, o := range r.orders {
		status, actor := r.check(o)
		verdicts[fmt.Sprintf("%s by %q", status, actor)]++
	}
	if len(verdicts) != 5 { // released and rejected by a person and by expiry, and cancelled
		t.Errorf("not everybody has won a race: %v", verdicts)
	}
	t.Logf("%d orders: %v", n, verdicts)
}

func newHoldRace(t *testing.T, n int) *holdRace {
	t.Helper()
	r := &holdRace{bundle: open(t)}
	tasks, err := queue.NewTasks(r.RDB, 1)
	queuetest.Must(t, err)
	log := slog.New(slog.DiscardHandler)
	r.repairs = recovery.New(recovery.Config{Name: "r", Retention: time.Hour, Log: log}, r.ledger.Books()[0], newProducer(r.RDB), tasks)
	r.worker = worker.New(worker.Config{
		Name: "w", Rules: r, RetryFor: time.Hour, AttemptTimeout: programtest.Patience, Log: log,
		Backoff: queue.Backoff{Base: time.Second, Max: time.Minute},
	}, r.ledger, r.ledger, r)
	entries := make([]order.Entry, n)
	for i := range entries {
		id := fmt.Sprint("o", i)
		r.orders = append(r.orders, &racedOrder{id: id, verdict: map[string][]error{}})
		entries[i] = order.Entry{Order: ordertest.Order(t, ordertest.WithID(id)), Queue: order.QueueDefault}
	}
	// Without tasks: the race makes the deliveries itself.
	for some := range slices.Chunk(entries, 500) {
		_, err := r.ledger.AcceptAll(t.Context(), some)
		queuetest.Must(t, err)
	}
	return r
}

func (r *holdRace) index(o *racedOrder) (i int) {
	_, _ = fmt.Sscanf(o.id, "o%d", &i)
	return i
}

// Decide is worker.Rules: every order is held.
func (r *holdRace) Decide(_ context.Context, rec order.Record) (order.Decision, error) {
	i := r.index(&racedOrder{id: rec.ID})
	d := order.Decision{Version: "v1", Action: order.ActionHold, Handling: order.HandlingPriority, Reason: "looks odd"}
	term := i / len(contests) % 3
	if i%len(contests) == len(contests)-1 {
		term = 1 + i/len(contests)%2
	}
	if term > 0 {
		d.Hold = order.HoldTerm{Expires: time.Microsecond, Release: term == 1}
	}
	return d, nil
}

// Fulfil is worker.Fulfilment: the journal of the shop.
func (r *holdRace) Fulfil(ctx context.Context, a order.Approval) (string, error) {
	now, err := r.ledger.Now(ctx)
	o := r.orders[r.index(&racedOrder{id: a.Order.ID})]
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, now)
	return "", err
}

// each does something for all orders, for many of them at once.
func (r *holdRace) each(do func(*racedOrder)) {
	var running sync.WaitGroup
	for first := range racedAtOnce {
		running.Go(func() {
			for i := first; i < len(r.orders); i += racedAtOnce {
				do(r.orders[i])
			}
		})
	}
	running.Wait()
}

// deliver has a worker work a task of the order.
func (r *holdRace) deliver(o *racedOrder) {
	if err := r.worker.Work(r.t.Context(), o.id); err != nil && !errors.Is(err, order.ErrStale) {
		r.t.Errorf("the delivery of %s: %v", o.id, err)
	}
}

// contest has all contestants try at the same time.
func (r *holdRace) contest(o *racedOrder, by []string) {
	var running sync.WaitGroup
	for _, contestant := range by {
		running.Go(func() {
			if contestant != "expire" { // which reads three times before it writes
				for range r.index(o) / len(contests) % 5 {
					_, _ = r.ledger.Now(r.t.Context())
				}
			}
			var err error
			switch contestant {
			case "release":
				_, err = r.Release(r.t.Context(), o.id, order.Intervention{Actor: "releases"})
			case "reject":
				_, err = r.Reject(r.t.Context(), o.id, order.Intervention{Actor: "rejects", Reason: "fraud"})
			case "cancel":
				_, err = r.Cancel(r.t.Context(), o.id, order.Intervention{Actor: "cancels", Reason: "no need"})
			case "expire":
				r.expire()
				return
			default:
				r.deliver(o)
				return
			}
			o.told(contestant, err)
		})
	}
	running.Wait()
}

// expire ends the holds that have expired, as a leader does.
func (r *holdRace) expire() {
	now, err := r.ledger.Now(r.t.Context())
	if err == nil {
		err = r.repairs.EndExpiredHolds(r.t.Context(), now)
	}
	if err != nil {
		r.t.Errorf("the expiry: %v", err)
	}
}

// checkTask checks that an order has a task if it waits for a worker.
func (r *holdRace) checkTask(o *racedOrder) {
	rec, err := r.ledger.Get(r.t.Context(), o.id)
	if err != nil || rec.Status == order.StatusPending && r.stateOf(o.id) == noTask {
		r.t.Errorf("%s is released and has no task; %v", o.id, err)
	}
}
