package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"orderprocessor/internal/order"
)

// TestBatch checks that concurrent updates of many orders share one script, and that each
// has the answer and the effect that it has alone.
func TestBatch(t *testing.T) {
	t.Parallel()
	begun := func(id string) []step { return []step{begin(claim(id, "a"))} }
	rows := []struct {
		name   string
		before func(id string) []step
		update func(id string) step
	}{
		{"begin", nil, func(id string) step { return begin(claim(id, "a")) }},
		{"begin and settle", nil, func(id string) step { return begin(ending(claim(id, "a"), completed())) }},
		{"fail", begun, func(id string) step { return fail(claim(id, "a")) }},
		{"settle", begun, func(id string) step { return settle(claim(id, "a"), completed()) }},
		{"cancel", nil, func(id string) step { return cancel(id, "changed my mind") }},
		{"retry", func(id string) []step { return refuse(claim(id, "a"))[1:] }, func(id string) step { return retry(id, "r1") }},
		{"lost", begun, func(id string) step { return lost(id, 1) }},
		{"requeued", nil, func(id string) step { return requeued(id, "r1") }},
		{"get", nil, get},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			batched, alone := openBatching(t), newBundle(t)
			var steps []step
			for n := range 20 {
				id := fmt.Sprint("o", n)
				steps = append(steps, row.update(id))
				for _, b := range []*bundle{batched.bundle, alone} {
					b.do(t, accept(sample(id)))
					if row.before != nil {
						b.do(t, row.before(id)...)
					}
				}
			}
			batched.checkBatch(t, alone, steps...)
		})
	}
}

// TestBatchOfOneOrder checks that updates of the same order in one batch are made one
// after the other.
func TestBatchOfOneOrder(t *testing.T) {
	t.Parallel()
	a, b := claim("o1", "a"), claim("o1", "b")
	begun := []step{begin(a)}
	failed := []step{begin(a), settle(a, refused())}
	rows := []struct {
		name   string
		before []step
		steps  []step
	}{
		{"two deliveries begin", nil, []step{begin(a), begin(b)}},
		{"one delivery begins twice", nil, []step{begin(a), begin(a)}},
		{"more begin than may", nil, []step{begin(a), begin(b), begin(claim("o1", "c")), begin(claim("o1", "d")), begin(claim("o2", "a"))}},
		{"settled twice by one", begun, []step{settle(a, completed()), settle(a, completed())}},
		{"settled by one, then by another", begun, []step{settle(a, completed()), settle(b, refused())}},
		{
			"settled by a stale one, then by the one with the claim",
			begun,
			[]step{settle(b, refused()), settle(claim("o2", "a"), completed()), settle(a, completed())},
		},
		{"failed twice", begun, []step{fail(a), fail(a)}},
		{"cancelled for two reasons", nil, []step{cancel("o1", "first"), cancel("o1", "second")}},
		{"retried twice by one", failed, []step{retry("o1", "r1"), retry("o1", "r1")}},
		{"retried by two", failed, []step{retry("o1", "r1"), retry("o1", "r2")}},
		{"lost twice", begun, []step{lost("o1", 1), lost("o1", 1)}},
		{"requeued twice", nil, []step{requeued("o1", "r1"), requeued("o1", "r1"), requeued("o1", "r2")}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			batched, alone := openBatching(t), newBundle(t)
			for _, b := range []*bundle{batched.bundle, alone} {
				b.do(t, accept(sample("o1")), accept(sample("o2")), begin(claim("o2", "a")))
				b.do(t, row.before...)
			}
			batched.checkBatch(t, alone, row.steps...)
		})
	}
}

// TestRandomBatches has many callers update the same few orders at random. The books must
// balance, and the callers get no errors but those that an order's status explains.
func TestRandomBatches(t *testing.T) {
	b := openBatching(t)
	const orders, callers, updates = 50, 16, 120
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for n := range orders {
		b.do(t, accept(sample(fmt.Sprint("o", n))))
	}
	before := b.trips.Load()
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(caller)))
			for range updates {
				s := randomStep(random, fmt.Sprint("o", random.IntN(orders)))
				if _, err := s.call(t.Context(), b.batched, s.id); err != nil && !isOfStatus(err) {
					t.Errorf("an update answered %v", err)
				}
			}
		})
	}
	all.Wait()
	if n := b.trips.Load() - before; n >= callers*updates {
		t.Errorf("%d updates took %d round trips", callers*updates, n)
	}
	b.totals(t)
}

func randomStep(random *rand.Rand, id string) step {
	token := fmt.Sprint("t", random.IntN(4))
	c := claim(id, token)
	steps := []step{
		begin(c), begin(c), begin(c), fail(c), fail(c), settle(c, completed()), settle(c, refused()),
		retry(id, token), retry(id, token), lost(id, 1+random.IntN(3)), requeued(id, token), cancel(id, token), get(id),
	}
	return steps[random.IntN(len(steps))]
}

// isOfStatus reports whether an error is due to the status of an order.
func isOfStatus(err error) bool {
	var status *order.StatusError
	return errors.As(err, &status) || slices.ContainsFunc([]error{order.ErrSettled, order.ErrStale, order.ErrExhausted},
		func(known error) bool { return errors.Is(err, known) })
}
