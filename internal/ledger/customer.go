package ledger

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// customerWindow is how far back facts about a customer go.
	customerWindow = 24 * time.Hour
	// maxSummed is how many orders of a customer are summed: a few milliseconds.
	maxSummed = 1000
)

// CustomerFacts returns what there is to know about the customer of an order that is
// accepted at a time: of the orders in the 24 hours up to then, the order itself included,
// whether it is recorded yet or not. Orders that name no currency have the one given. It
// returns order.ErrUnavailable when one of the books did not answer.
func (l *Ledger) CustomerFacts(ctx context.Context, o order.Order, at time.Time, currency order.Currency) (order.CustomerFacts, error) {
	own := l.of(o.ID)
	parts, err := each(l.books, func(b *Book) (order.CustomerFacts, error) { return b.customerFacts(ctx, o, b == own, at, currency) })
	var facts order.CustomerFacts
	for _, part := range parts {
		facts.Orders24h += part.Orders24h
		facts.Amount24h += part.Amount24h
	}
	return facts, err
}

// customerFacts are those of the book's orders, and of the order itself if it is the
// book's own.
func (b *Book) customerFacts(ctx context.Context, o order.Order, own bool, at time.Time, currency order.Currency) (order.CustomerFacts, error) {
	ids, n, err := b.customersOrders(ctx, o.Customer, at)
	if err != nil {
		return order.CustomerFacts{}, err
	}
	facts := order.CustomerFacts{Orders24h: n}
	texts, err := b.documents(ctx, ids)
	if err != nil {
		return order.CustomerFacts{}, err
	}
	known := false
	for i, text := range texts {
		known = known || ids[i] == o.ID
		other, err := decodeOrder(ids[i], text)
		if err == nil && other.Amount.Decimals == o.Amount.Decimals && other.CurrencyOr(currency) == o.CurrencyOr(currency) {
			facts.Amount24h += other.Amount.Minor
		}
	}
	if own && !known && n < maxSummed {
		facts.Orders24h++
		facts.Amount24h += o.Amount.Minor
	}
	return facts, nil
}

// customersOrders returns the newest orders of a customer, and how many there are.
func (b *Book) customersOrders(ctx context.Context, customer string, at time.Time) (ids []string, n int64, err error) {
	key, oldest, newest := b.keys.customer(customer), "("+score(at.Add(-customerWindow)), score(at)
	pipe := b.rdb.Pipeline()
	count := pipe.ZCount(ctx, key, oldest, newest)
	list := pipe.ZRangeArgs(ctx, redis.ZRangeArgs{Key: key, Start: newest, Stop: oldest, ByScore: true, Rev: true, Count: maxSummed})
	_, err = pipe.Exec(ctx)
	return list.Val(), count.Val(), wrap(err, "read the orders of a customer")
}

// documents returns the documents of orders, empty for one that is gone.
func (b *Book) documents(ctx context.Context, ids []string) ([]string, error) {
	pipe := b.rdb.Pipeline()
	reads := make([]*redis.SliceCmd, len(ids))
	for i, id := range ids {
		reads[i] = pipe.HMGet(ctx, b.keys.record(id), fieldOrder)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, wrap(err, "read the orders of a customer")
	}
	texts := make([]string, len(ids))
	for i, read := range reads {
		texts[i], _ = read.Val()[0].(string)
	}
	return texts, nil
}
