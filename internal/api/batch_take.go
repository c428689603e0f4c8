package api

import (
	"bytes"
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
	// batchShards is how many parts of a batch are taken at the same time, so
	// that this process and Redis are both busy.
	batchShards = 4
	// batchChunk is how many orders are taken in one step at most.
	batchChunk = 128
	// shardQueue is how many orders may wait for their shard.
	shardQueue = 2 * batchChunk
)

// errNotTried is what becomes of the orders behind one for which Redis was away.
var errNotTried = fmt.Errorf("not tried: %w", order.ErrUnavailable)

// batch is the taking of one batch.
type batch struct {
	intake Intake
	meter  *meter
	within time.Duration // a chunk is taken
	away   atomic.Bool   // Redis has not answered; nothing more is tried
	done   chan place
}

// place is an order on its way through the batch, and then what became of it.
type place struct {
	index int
	order order.Order
	byKey bool
	order.Acceptance
}

// takeBatch takes all orders that are valid and returns what became of each, in
// turn. Orders with the same id are taken in turn.
func (s *Server) takeBatch(ctx context.Context, lines []line, key string, m *meter) []order.Acceptance {
	b := &batch{intake: s.Intake, meter: m, within: s.requestTimeout, done: make(chan place, len(lines))}
	go b.deal(ctx, lines, key)
	all := make([]order.Acceptance, len(lines))
	for range lines {
		p := <-b.done
		all[p.index] = p.Acceptance
	}
	return all
}

// deal decodes the lines and deals the orders out to the shards, by their ids.
func (b *batch) deal(ctx context.Context, lines []line, key string) {
	seed := maphash.MakeSeed()
	var shards [batchShards]chan place
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
			p.Err = lineError{problemOf(err).bounded(maxLineProblems)}
			b.done <- p
			continue
		}
		if key != "" {
			p.byKey = keyed(&p.order, b.meter.caller, key+"\n"+strconv.Itoa(l.number))
		}
		shard := uint64(i)
		if p.order.ID != "" {
			shard = maphash.String(seed, p.order.ID)
		}
		shards[shard%batchShards] <- p
	}
}

// lineError is what is wrong with a line, cut to what will be told of it: a batch
// has room for millions of mistakes.
type lineError struct{ problem problem }

// Error implements error.
func (e lineError) Error() string { return e.problem.Detail }

func decodeLine(text []byte, now time.Time) (o order.Order, err error) {
	defer caught(&err) // nobody else would: the lines have left their request
	if len(text) > maxBodyBytes {
		return order.Order{}, tooManyBytes(maxBodyBytes)
	}
	return decodeOrder(bytes.TrimPrefix(text, byteOrderMark), now) // a file may follow another
}

// take takes the orders of one shard, as many in one step as there are waiting.
func (b *batch) take(ctx context.Context, shard <-chan place) {
	for first := range shard {
		chunk := gather(first, shard)
		orders := make([]order.Order, len(chunk))
		for i, p := range chunk {
			orders[i] = p.order
		}
		for i, a := range b.takeChunk(ctx, orders) {
			p := chunk[i]
			p.Acceptance = a
			if p.byKey && errors.Is(a.Err, order.ErrConflict) {
				p.Err = keyReusedError{a.Err}
			}
			b.done <- p
		}
	}
}

// gather returns the first order and those that wait behind it.
func gather(first place, shard <-chan place) []place {
	chunk := []place{first}
	for len(chunk) < batchChunk {
		select {
		case p, ok := <-shard:
			if !ok {
				return chunk
			}
			chunk = append(chunk, p)
		default:
			return chunk
		}
	}
	return chunk
}

func (b *batch) takeChunk(ctx context.Context, orders []order.Order) []order.Acceptance {
	ctx, cancel := context.WithTimeout(ctx, b.within)
	defer cancel()
	all, err := b.takeAll(ctx, orders)
	if err != nil {
		all = make([]order.Acceptance, len(orders))
		for i := range all {
			all[i].Err = err
		}
	}
	for _, a := range all {
		if errors.Is(a.Err, order.ErrUnavailable) {
			b.away.Store(true)
		}
	}
	return all
}

// takeAll takes the orders that are within the caller's limit, which are the first
// ones.
func (b *batch) takeAll(ctx context.Context, orders []order.Order) (all []order.Acceptance, err error) {
	defer caught(&err)
	if b.away.Load() || ctx.Err() != nil {
		return nil, errNotTried
	}
	allowed, limited := b.meter.take(ctx, len(orders))
	if allowed > 0 {
		all = b.intake.SubmitAll(ctx, orders[:allowed])
	}
	for range orders[allowed:] {
		all = append(all, order.Acceptance{Err: limited})
	}
	return all, nil
}
