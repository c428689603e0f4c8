package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

const (
	// batchShards is how many parts of a batch are accepted concurrently, so that this
	// process and Redis are both busy.
	batchShards = 4
	// batchChunk bounds the orders that are accepted in one step.
	batchChunk = 128
	// shardQueue bounds the orders that wait for their shard.
	shardQueue = 2 * batchChunk
)

// errNotTried is the error of orders that follow one for which Redis was unavailable.
var errNotTried = fmt.Errorf("not tried: %w", order.ErrUnavailable)

// batch accepts the orders of one request.
type batch struct {
	intake  Intake
	terms   order.Terms
	quota   *quota
	timeout time.Duration // of one chunk
	away    atomic.Bool   // Redis did not answer; nothing more is tried
	done    chan entry
}

// entry is one order of a batch, and then what became of it.
type entry struct {
	index int
	order order.Order
	byKey bool
	order.Acceptance
}

// acceptBatch accepts all valid orders and returns the results in the order of the lines.
// Orders with the same id are accepted one after the other.
func (s *Server) acceptBatch(ctx context.Context, lines []line, key string, q *quota) []order.Acceptance {
	b := &batch{intake: s.Intake, terms: s.cfg.Terms, quota: q, timeout: s.requestTimeout, done: make(chan entry, len(lines))}
	go b.deal(ctx, lines, key)
	all := make([]order.Acceptance, len(lines))
	for range lines {
		e := <-b.done
		all[e.index] = e.Acceptance
	}
	return all
}

// deal decodes the lines and distributes the orders over the shards by their ids.
func (b *batch) deal(ctx context.Context, lines []line, key string) {
	seed := maphash.MakeSeed()
	var shards [batchShards]chan entry
	for i := range shards {
		shards[i] = make(chan entry, shardQueue)
		go b.accept(ctx, shards[i])
		defer close(shards[i])
	}
	now := time.Now()
	for i, l := range lines {
		e := entry{index: i}
		var err error
		if e.order, err = decodeLine(l.text, b.terms, now); err != nil {
			e.Err = lineError{problemOf(err).bounded(maxLineProblems)}
			b.done <- e
			continue
		}
		if key != "" {
			e.byKey = keyed(&e.order, b.quota.caller, key+"\n"+strconv.Itoa(l.number))
		}
		shard := uint64(i)
		if e.order.ID != "" {
			shard = maphash.String(seed, e.order.ID)
		}
		shards[shard%batchShards] <- e
	}
}

// lineError is what is wrong with a line, cut to what the answer shows: a batch has room
// for millions of mistakes.
type lineError struct{ problem problem }

// Error implements error.
func (e lineError) Error() string { return e.problem.Detail }

func decodeLine(text []byte, terms order.Terms, now time.Time) (o order.Order, err error) {
	defer httpserver.Recover(&err) // this goroutine is not that of the request
	if len(text) > httpserver.MaxBodyBytes {
		return order.Order{}, httpserver.TooLarge(httpserver.MaxBodyBytes)
	}
	return decodeOrder(bytes.TrimPrefix(text, byteOrderMark), terms, now) // files may have been concatenated
}

// accept accepts the orders of one shard, all that are waiting in one step.
func (b *batch) accept(ctx context.Context, shard <-chan entry) {
	for first := range shard {
		chunk := gather(first, shard)
		orders := make([]order.Order, len(chunk))
		for i, e := range chunk {
			orders[i] = e.order
		}
		for i, a := range b.acceptChunk(ctx, orders) {
			e := chunk[i]
			e.Acceptance = a
			if e.byKey && errors.Is(a.Err, order.ErrConflict) {
				e.Err = keyReusedError{a.Err}
			}
			b.done <- e
		}
	}
}

// gather returns the first order and those that wait behind it.
func gather(first entry, shard <-chan entry) []entry {
	chunk := []entry{first}
	for len(chunk) < batchChunk {
		select {
		case e, ok := <-shard:
			if !ok {
				return chunk
			}
			chunk = append(chunk, e)
		default:
			return chunk
		}
	}
	return chunk
}

func (b *batch) acceptChunk(ctx context.Context, orders []order.Order) []order.Acceptance {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	all, err := b.acceptAllowed(ctx, orders)
	if err != nil {
		all = slices.Repeat([]order.Acceptance{{Err: err}}, len(orders))
	}
	for _, a := range all {
		if errors.Is(a.Err, order.ErrUnavailable) {
			b.away.Store(true)
		}
	}
	return all
}

// acceptAllowed accepts the orders within the caller's rate limit, which are the first
// ones.
func (b *batch) acceptAllowed(ctx context.Context, orders []order.Order) (all []order.Acceptance, err error) {
	defer httpserver.Recover(&err)
	if b.away.Load() || ctx.Err() != nil {
		return nil, errNotTried
	}
	allowed, limited := b.quota.charge(ctx, len(orders))
	if allowed > 0 {
		all = b.intake.SubmitAll(ctx, orders[:allowed])
	}
	return append(all, slices.Repeat([]order.Acceptance{{Err: limited}}, len(orders)-allowed)...), nil
}
