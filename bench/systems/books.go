package systems

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/stats"
)

const (
	// settleTimeout bounds the wait for the last order: far above what any scenario
	// takes, and an end for one that makes no progress.
	settleTimeout = 10 * time.Minute
	// balanceTimeout bounds the wait for what follows the last outcome, such as its
	// acknowledgement: recovery needs time if a worker failed there.
	balanceTimeout = 2 * time.Minute
	// pageEntries is how many entries of the stream of events are read at once.
	pageEntries = 100
	// pageOrders is how many records are read at once.
	pageOrders = 200
)

// Books reads the books and queues of a system straight from Redis, the same way
// whichever system wrote them. It is safe for concurrent use.
type Books struct {
	ledger *ledger.Ledger
	// archived is the same ledger, as the programs see it that have an archive.
	archived *ledger.Ledger
	queues   *queue.Inspector
	// every is the time between two readings of the totals, of which each costs a script
	// for each book.
	every time.Duration
}

// NewBooks reads those of so many books (0 is 1) in rdb, which stays the caller's to close.
func NewBooks(rdb redis.UniversalClient, books int) *Books {
	noArchive := struct{ ledger.Archive }{} // only forgetting orders would ask it
	return &Books{
		ledger: ledger.NewWith(rdb, ledger.Config{Books: books}), archived: ledger.NewWith(rdb, ledger.Config{Books: books, Archive: noArchive}),
		queues: queue.NewInspector(rdb, books), every: time.Duration(max(books, 1)) * pollInterval,
	}
}

// Totals reads all counters.
func (b *Books) Totals(ctx context.Context) (stats.Totals, error) { return b.ledger.Totals(ctx) }

// Kept is how many orders each book has, by number.
func (b *Books) Kept(ctx context.Context) (orders []int64, err error) {
	for _, book := range b.ledger.Books() {
		t, err := book.Totals(ctx)
		if err != nil {
			return nil, err
		}
		orders = append(orders, t.Accepted)
	}
	return orders, nil
}

// Events counts the events that are kept.
func (b *Books) Events(ctx context.Context) (int, error) {
	all := 0
	for after := (order.EventID{}); ; {
		events, next, err := b.ledger.Books()[0].EventsAfter(ctx, after, pageEntries, 0)
		if err != nil || len(events) == 0 {
			return all, err
		}
		all, after = all+len(events), next
	}
}

// Depths reads what is in each queue.
func (b *Books) Depths(ctx context.Context) (map[order.Queue]stats.Depth, error) {
	return b.queues.Depths(ctx)
}

// Pause stops the workers of any system from dequeueing a queue's orders.
func (b *Books) Pause(ctx context.Context, q order.Queue) error { return b.queues.Pause(ctx, q) }

// AwaitProcessed waits until so many orders have been decided, and returns the
// totals in which they first were.
func (b *Books) AwaitProcessed(ctx context.Context, orders int) (stats.Totals, error) {
	return b.await(ctx, fmt.Sprintf("%d orders are decided", orders), settleTimeout, func(t stats.Totals) bool {
		return t.Processed() >= int64(orders)
	})
}

// AwaitArchived waits until no order is due for the archive.
func (b *Books) AwaitArchived(ctx context.Context) error {
	_, err := b.await(ctx, "all orders are archived", settleTimeout, func(stats.Totals) bool {
		backlog, err := b.archived.ArchiveBacklog(ctx)
		return err == nil && backlog.Orders == 0
	})
	return err
}

// await polls the totals until ok returns true.
func (b *Books) await(
	ctx context.Context, what string, within time.Duration, ok func(stats.Totals) bool,
) (stats.Totals, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(b.every)
	defer tick.Stop()
	for {
		t, err := b.ledger.Totals(ctx)
		if err != nil {
			return stats.Totals{}, fmt.Errorf("wait until %s: %w", what, err)
		}
		if ok(t) {
			return t, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return stats.Totals{}, fmt.Errorf("wait until %s: %w, with %d of %d decided", what, ctx.Err(), t.Processed(), t.Accepted)
		}
	}
}

// Balance compares the books with what was sent: so many orders accepted, all but so
// many waiting ones decided, each once, and nothing else left in a queue. It waits
// until the last tasks are acknowledged.
func (b *Books) Balance(ctx context.Context, accepted, waiting int) error {
	if _, err := b.AwaitProcessed(ctx, accepted-waiting); err != nil {
		return err
	}
	_, err := b.await(ctx, "only what waits is queued", balanceTimeout, func(stats.Totals) bool {
		depths, err := b.queues.Depths(ctx)
		return err == nil && tasks(depths) == int64(waiting)
	})
	if err != nil {
		return err
	}
	t, err := b.ledger.Totals(ctx)
	if err != nil {
		return fmt.Errorf("balance the books: %w", err)
	}
	if t.Drift() != 0 || t.Accepted != int64(accepted) || t.Processed() != int64(accepted-waiting) {
		return fmt.Errorf("the books do not balance: drift %d; accepted %d of %d; decided %d with %d waiting",
			t.Drift(), t.Accepted, accepted, t.Processed(), waiting)
	}
	return nil
}

// BalanceStopped does the same once all queues are paused: it waits until no worker
// has an order, and until every accepted order is decided or waits.
func (b *Books) BalanceStopped(ctx context.Context, accepted int) error {
	_, err := b.await(ctx, "the books balance", balanceTimeout, func(t stats.Totals) bool {
		depths, err := b.queues.Depths(ctx)
		return err == nil && active(depths) == 0 && t.Drift() == 0 &&
			t.Accepted == int64(accepted) && t.Processed()+tasks(depths) == int64(accepted)
	})
	return err
}

func active(depths map[order.Queue]stats.Depth) int64 {
	var all int64
	for _, d := range depths {
		all += d.Active
	}
	return all
}

// tasks counts what is in all queues, with workers or waiting.
func tasks(depths map[order.Queue]stats.Depth) int64 {
	var all int64
	for _, d := range depths {
		all += d.Pending + d.Active + d.Scheduled + d.Retry
	}
	return all
}

// Records calls each for the record of every order that matches, newest first.
func (b *Books) Records(ctx context.Context, f order.Filter, each func(order.Record)) error {
	var after order.Position
	for {
		records, next, err := b.ledger.List(ctx, f, after, pageOrders)
		if err != nil {
			return fmt.Errorf("read records: %w", err)
		}
		for _, rec := range records {
			each(rec)
		}
		if next.IsZero() {
			return nil
		}
		after = next
	}
}
