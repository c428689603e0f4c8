package scenario

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"orderprocessor/bench/clients"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
	"orderprocessor/internal/load"
	"orderprocessor/internal/order"
)

const (
	// work is how long the shop takes for one order.
	work = 50 * time.Millisecond
	// criticalPerSecond is how many critical orders come: far fewer than can be
	// worked, so that none has to wait for another of its kind.
	criticalPerSecond = 20
	// rushPart is the part of Urgent, one in so many, for which critical orders wait
	// as well.
	rushPart = 4
)

// The figures of low orders, in percent of what was settled.
const (
	lowBesideDefault = "low of low and default"
	lowBesideBoth    = "low of all while critical waits"
	criticalWait     = "critical wait"
)

// prioritySteps measure what urgent orders and patient ones get of busy workers.
func (b *Bench) prioritySteps() []Step { return both(Priority, b.priority) }

// priority has many low and default orders wait and every slot busy, and then
// sends critical ones at a constant rate: how long do they wait, and does low get
// its share meanwhile? As low and default wait all the time, what each gets is a
// matter of the weights alone. Then many critical orders wait as well.
func (b *Bench) priority(ctx context.Context, kind systems.Kind) error {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pause(r.Context(), work) == nil {
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer shop.Close()
	s, err := b.Programs.Open(ctx, systems.Settings{Kind: kind, FulfilmentURL: shop.URL})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := b.makeBusy(ctx, s, kind); err != nil {
		return err
	}
	urgent, err := b.sendUrgent(ctx, s, kind)
	if err != nil {
		return err
	}
	if err := b.rush(ctx, s, kind); err != nil {
		return err
	}
	if err := stopAndBalance(ctx, s, b.Sizes.Low+b.Sizes.Default+b.Sizes.Rush+urgent.sent); err != nil {
		return err
	}
	return b.keepCritical(ctx, s, kind, urgent)
}

// makeBusy has orders wait and the worker begin them.
func (b *Bench) makeBusy(ctx context.Context, s *systems.System, kind systems.Kind) error {
	if err := b.fill(ctx, s, kind, b.Sizes.Low, load.NewOrders(load.Mix{order.QueueLow: 1})); err != nil {
		return err
	}
	if err := b.fill(ctx, s, kind, b.Sizes.Default, load.NewOrders(load.Mix{order.QueueDefault: 1})); err != nil {
		return err
	}
	if err := startWorker(ctx, s); err != nil {
		return err
	}
	_, err := s.Books.AwaitProcessed(ctx, 1) // by then every slot has had time to fill
	return err
}

// sending is when orders were accepted, by the clock of Redis, and how many.
type sending struct {
	from, to time.Time
	sent     int
}

// sendUrgent sends critical orders at a constant rate.
func (b *Bench) sendUrgent(ctx context.Context, s *systems.System, kind systems.Kind) (sending, error) {
	var urgent sending
	settled, err := settledDuring(ctx, s, func() error {
		answers, err := clients.Constant(ctx, s.Addr, criticalPerSecond, b.Sizes.Urgent, load.NewOrders(load.Mix{order.QueueCritical: 1}))
		urgent.sent = answers.Accepted
		if answers.Refused > 0 {
			return fmt.Errorf("%d critical orders were refused", answers.Refused)
		}
		return err
	})
	if err != nil {
		return sending{}, err
	}
	urgent.from, urgent.to = settled.from, settled.to
	both := settled.orders[order.QueueLow] + settled.orders[order.QueueDefault]
	b.keep(key(Priority, string(kind), lowBesideDefault), report.Percent, share(settled.orders[order.QueueLow], both))
	return urgent, nil
}

// rush has critical orders wait, too.
func (b *Bench) rush(ctx context.Context, s *systems.System, kind systems.Kind) error {
	if err := b.fill(ctx, s, kind, b.Sizes.Rush, load.NewOrders(load.Mix{order.QueueCritical: 1})); err != nil {
		return err
	}
	settled, err := settledDuring(ctx, s, func() error { return pause(ctx, b.Sizes.Urgent/rushPart) })
	if err != nil {
		return err
	}
	var all int64
	for _, n := range settled.orders {
		all += n
	}
	b.keep(key(Priority, string(kind), lowBesideBoth), report.Percent, share(settled.orders[order.QueueLow], all))
	return nil
}

func share(part, all int64) float64 { return 100 * float64(part) / float64(max(all, 1)) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// keepCritical keeps how long the critical orders of the sending waited.
func (b *Bench) keepCritical(ctx context.Context, s *systems.System, kind systems.Kind, urgent sending) error {
	wait, _, err := waits(ctx, s.Books, order.Filter{CreatedFrom: urgent.from, CreatedTo: urgent.to})
	if err != nil {
		return err
	}
	if len(wait) != urgent.sent {
		return fmt.Errorf("%d of %d critical orders were settled", len(wait), urgent.sent)
	}
	b.keepQuantiles(Priority, string(kind), criticalWait, quantiles(wait))
	return nil
}
