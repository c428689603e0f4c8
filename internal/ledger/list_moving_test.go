package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"orderprocessor/internal/order"
)

// traffic moves orders at random: it accepts, begins, fails, settles, cancels and
// retries them.
type traffic struct {
	books *bundle
	moves atomic.Int64

	mu     sync.Mutex
	ids    []string          // accepted
	tokens map[string]string // of the newest attempt, by order
	done   []string          // completed
}

// maxMoving bounds the orders of a traffic, and so the length of a walk.
const maxMoving = 400

// run moves orders until ctx ends.
func (tr *traffic) run(ctx context.Context, t *testing.T, seed, mover uint64) {
	r := rand.New(rand.NewPCG(seed, mover))
	for n := 0; ctx.Err() == nil; n++ {
		err := tr.move(t.Context(), r, fmt.Sprintf("%d.%d", mover, n))
		if err != nil && !isOfStatus(err) {
			t.Errorf("seed %d: %v", seed, err)
			return
		}
		if err == nil {
			tr.moves.Add(1)
		}
	}
}

// move makes one change, named uniquely.
func (tr *traffic) move(ctx context.Context, r *rand.Rand, name string) error {
	id, all := tr.pick(r)
	switch kind := r.IntN(100); {
	case all < 30 || (kind < 15 && all < maxMoving):
		o := sample(name)
		o.Customer = []string{"ada", "grace"}[r.IntN(2)]
		if err := accept(o).run(ctx, tr.books.Ledger); err != nil {
			return err
		}
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.ids = append(tr.ids, o.ID)
		return nil
	case kind < 50:
		c := claim(id, name)
		_, err := tr.books.Begin(ctx, c)
		if errors.Is(err, order.ErrExhausted) {
			return tr.books.Settle(ctx, c, refused())
		}
		if err != nil {
			return err
		}
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.tokens[id] = name
		return nil
	case kind < 60:
		return fail(tr.newestClaim(id)).run(ctx, tr.books.Ledger)
	case kind < 75:
		return settle(tr.newestClaim(id), refused()).run(ctx, tr.books.Ledger)
	case kind < 78:
		return tr.complete(ctx, tr.newestClaim(id))
	case kind < 80:
		_, err := tr.books.Cancel(ctx, id, order.Intervention{Actor: "ops", Reason: name})
		return err
	default:
		_, err := tr.books.Retry(ctx, id, name, order.Intervention{Actor: "ops"})
		return err
	}
}

func (tr *traffic) complete(ctx context.Context, c order.Claim) error {
	if err := tr.books.Settle(ctx, c, completed()); err != nil {
		return err
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.done = append(tr.done, c.ID)
	return nil
}

// pick chooses one of the accepted orders.
func (tr *traffic) pick(r *rand.Rand) (id string, all int) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if len(tr.ids) > 0 {
		id = tr.ids[r.IntN(len(tr.ids))]
	}
	return id, len(tr.ids)
}

// newestClaim returns the newest claim of an order to one mover alone, which ends it.
func (tr *traffic) newestClaim(id string) order.Claim {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	c := claim(id, tr.tokens[id])
	tr.tokens[id] = "ended"
	return c
}

// soFar returns what is accepted and what is completed.
func (tr *traffic) soFar() (ids, done []string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Clone(tr.ids), slices.Clone(tr.done)
}

// TestListWhileOrdersMove checks that a walk meets every order that was there when it
// began, once, whatever happens to the orders meanwhile.
func TestListWhileOrdersMove(t *testing.T) {
	books := open(t)
	tr := &traffic{books: books, tokens: map[string]string{}}
	seed := rand.Uint64()
	ctx, stop := context.WithCancel(t.Context())
	var movers sync.WaitGroup
	for mover := range uint64(4) {
		movers.Go(func() { tr.run(ctx, t, seed, mover) })
	}
	defer movers.Wait()
	defer stop()

	moved := func() int64 { return tr.moves.Load() }
	for walks, start := 0, moved(); walks < 10 || moved() < start+2000; walks++ {
		there, _ := tr.soFar()
		met := books.meet(t, order.Filter{}, 5)
		for _, id := range there {
			if !met[id] {
				t.Errorf("seed %d: walk %d has not met order %s", seed, walks+1, id)
			}
		}
		_, done := tr.soFar()
		met = books.meet(t, order.Filter{Status: order.StatusCompleted}, 3)
		for _, id := range done {
			if !met[id] {
				t.Errorf("seed %d: walk %d has not met the completed order %s", seed, walks+1, id)
			}
		}
		if t.Failed() {
			return
		}
	}
}

// meet walks the list and returns the orders that are on it. Each of them must
// match the filter and be there once.
func (b *bundle) meet(t *testing.T, f order.Filter, limit int) map[string]bool {
	t.Helper()
	met := map[string]bool{}
	for _, p := range b.walk(t, f, order.Position{}, limit) {
		for _, rec := range p.Records {
			if met[rec.ID] {
				t.Errorf("order %s was met twice", rec.ID)
			}
			if f.Status != "" && rec.Status != f.Status {
				t.Errorf("order %s in a list of %s orders is %s", rec.ID, f.Status, rec.Status)
			}
			met[rec.ID] = true
		}
	}
	return met
}
