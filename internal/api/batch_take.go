package api

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"sync/atomic"
	"time"

	"orderprocessor/internal/order"
)

const (
	// batchShards is how many orders of a batch are taken at once. Together they
	// make the pipelines to Redis deep.
	batchShards = 256
	// shardQueue is how many orders may wait for their shard.
	shardQueue = 16
)

// taken is what became of one order of a batch.
type taken struct {
	id    string
	isNew bool
	err   error
}

// batch is the taking of one batch.
type batch struct {
	taker Taker
	away  atomic.Bool // Redis has not answered; nothing more is tried
	done  chan place
}

// place is an order on its way through the batch, and then what became of it.
type place struct {
	index int
	order order.Order
	byKey bool
	taken taken
}

// takeBatch takes all orders that are valid, many at once, and returns what became
// of each, in their order. Orders with the same id are taken in turn. When ctx
// ends first, the rest counts as not answered.
func (s *Server) takeBatch(ctx context.Context, lines []line, key string) []taken {
	b := &batch{taker: s.Batches, done: make(chan place, len(lines))}
	go b.deal(ctx, lines, key)
	all := make([]taken, len(lines))
	for i := range all {
		all[i].err = fmt.Errorf("take batch: %w", order.ErrUnavailable)
	}
	for range lines {
		select {
		case p := <-b.done:
			all[p.index] = p.taken
		case <-ctx.Done():
			return all
		}
	}
	return all
}

// deal decodes the lines and deals the orders out to the shards, by their ids.
func (b *batch) deal(ctx context.Context, lines []line, key string) {
	seed := maphash.MakeSeed()
	shards := make([]chan place, min(batchShards, len(lines)))
	for i := range shards {
		shards[i] = make(chan place, shardQueue)
		go b.take(ctx, shards[i])
		defer close(shards[i])
	}
	now := time.Now()
	for i, l := range lines {
		p := place{index: i}
		var err error
		if p.order, err = decodeLine(l.text, now); err != nil {
			p.taken.err = err
			b.done <- p
			continue
		}
		if key != "" {
			p.byKey = keyed(&p.order, key+"\n"+strconv.Itoa(l.number))
		}
		shard := i
		if p.order.ID != "" {
			shard = int(maphash.String(seed, p.order.ID) % uint64(len(shards))) //nolint:gosec // below len
		}
		shards[shard%len(shards)] <- p
	}
}

func decodeLine(text []byte, now time.Time) (order.Order, error) {
	if len(text) > maxBodyBytes {
		return order.Order{}, tooManyBytes(maxBodyBytes)
	}
	return decodeOrder(text, now)
}

// take takes the orders of one shard in turn.
func (b *batch) take(ctx context.Context, orders <-chan place) {
	for p := range orders {
		p.taken = b.takeOne(ctx, p)
		b.done <- p
	}
}

func (b *batch) takeOne(ctx context.Context, p place) taken {
	if b.away.Load() || ctx.Err() != nil {
		return taken{err: fmt.Errorf("take batch: %w", order.ErrUnavailable)}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	rec, isNew, err := b.taker.Take(ctx, p.order)
	switch {
	case p.byKey && errors.Is(err, order.ErrConflict):
		err = keyReusedError{err}
	case errors.Is(err, order.ErrUnavailable):
		b.away.Store(true)
	}
	return taken{id: rec.ID, isNew: isNew, err: err}
}
