package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"orderprocessor/internal/order"
)

// TestGroupsAtRandom lets many callers change the same few orders as they like, and
// wants the books to balance and the callers to hear of nothing but the business.
func TestGroupsAtRandom(t *testing.T) {
	g := group(t)
	const orders, callers, changes = 50, 16, 120
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for n := range orders {
		g.do(t, accept(sample(fmt.Sprint("o", n))))
	}
	before := g.gate.journeys.Load()
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(caller)))
			for range changes {
				c := anyCall(random, fmt.Sprint("o", random.IntN(orders)))
				if _, err := c(t.Context(), g.grouped); err != nil && !business(err) {
					t.Errorf("a change answered %v", err)
				}
			}
		})
	}
	all.Wait()
	if n := g.gate.journeys.Load() - before; n >= callers*changes {
		t.Errorf("%d changes took %d journeys", callers*changes, n)
	}
	g.totals(t)
}

func anyCall(random *rand.Rand, id string) call {
	token := fmt.Sprint("t", random.IntN(4))
	calls := []call{
		beginning(id, token), beginning(id, token), beginning(id, token),
		failing(id, token), failing(id, token),
		settling(id, token, completed()), settling(id, token, outOfStock()),
		retrying(id, token), retrying(id, token),
		losing(id, 1+random.IntN(3)), requeuing(id, token), cancelling(id, token), getting(id),
	}
	return calls[random.IntN(len(calls))]
}

// business reports whether an error is what the order's status makes of a change.
func business(err error) bool {
	var status *order.StatusError
	if errors.As(err, &status) {
		return true
	}
	for _, known := range []error{order.ErrSettled, order.ErrStale, order.ErrExhausted} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
