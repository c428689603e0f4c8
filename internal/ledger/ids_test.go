package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// forgetAll settles an order and forgets it, and returns when it was accepted.
func (b *bundle) forgetAll(t *testing.T, o order.Order) time.Time {
	t.Helper()
	c := claim(o.ID, "a")
	b.do(t, accept(o), begin(c), settle(c, completed()))
	accepted := b.get(t, o.ID).CreatedAt
	if n, err := b.Books()[0].Forget(t.Context(), time.Now().Add(time.Hour), 10); n != 1 || err != nil {
		t.Fatalf("forgot %d, %v", n, err)
	}
	return accepted
}

// TestForgottenID holds that the id of a forgotten order is known for the term: the same
// order is no new one, and another one is a conflict, also in a batch and however often it
// comes. Nothing is written for them.
func TestForgottenID(t *testing.T) {
	b := open(t)
	b.SetIDTerm(time.Hour)
	accepted := b.forgetAll(t, sample("o1"))
	other := sample("o1")
	other.Notes = "other"
	before := b.dump(t)
	for range 2 {
		all, err := b.AcceptAll(t.Context(), entries(sample("o1"), other))
		var forgotten *order.ForgottenError
		if err != nil || !errors.As(all[0].Err, &forgotten) || !forgotten.AcceptedAt.Equal(accepted) {
			t.Errorf("the same order: %+v, %v, want it accepted at %v", all[0], err, accepted)
		}
		if !errors.Is(all[1].Err, order.ErrConflict) {
			t.Errorf("another one: %+v", all[1])
		}
	}
	if diff := cmp.Diff(before, b.dump(t)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
	b.do(t, accept(sample("o2")))
}

// TestForgottenIDLeaves holds that generations of ids end by themselves, between one and
// two terms after the order was forgotten, and that without a term no id is kept.
func TestForgottenIDLeaves(t *testing.T) {
	b := open(t)
	b.forgetAll(t, sample("o1"))
	b.do(t, accept(sample("o1")))
	b.rdb.FlushAll(t.Context())

	const term = 1000 * time.Second
	b.SetIDTerm(term)
	b.forgetAll(t, sample("o1"))
	now := b.rdb.Time(t.Context()).Val()
	keys := b.rdb.Keys(t.Context(), ledgertest.Book+"d:*").Val()
	generations := b.rdb.ZRangeWithScores(t.Context(), ledgertest.Book+"d", 0, -1).Val()
	if len(keys) != 1 || len(generations) != 1 {
		t.Fatalf("ids are in %v of %v", keys, generations)
	}
	left := time.Unix(int64(generations[0].Score), 0).Sub(now)
	if left < term-time.Second || left > 2*term {
		t.Errorf("the generation ends in %v", left)
	}
	if ttl := b.rdb.ExpireTime(t.Context(), keys[0]).Val(); int64(ttl.Seconds()) != int64(generations[0].Score) {
		t.Errorf("the hash ends at %v, its generation at %v", ttl, generations[0].Score)
	}
	// The end of a generation makes its ids unknown even if its hashes are still there.
	past := now.Add(-time.Second).Unix()
	b.rdb.ZAdd(t.Context(), ledgertest.Book+"d", redis.Z{Score: float64(past), Member: generations[0].Member})
	b.do(t, accept(sample("o1")))
	b.forgetAll(t, sample("o3"))
	if got := b.rdb.ZRange(t.Context(), ledgertest.Book+"d", 0, -1).Val(); len(got) != 1 {
		t.Errorf("the generations are %v", got)
	}
}

// TestMemoryOfIDs measures what the id of a forgotten order costs: at most 100 bytes.
func TestMemoryOfIDs(t *testing.T) {
	b := open(t)
	b.rdb.ConfigSet(t.Context(), "lazyfree-lazy-user-del", "no") // the default of Valkey is to free later
	const orders = 60_000
	b.SetIDTerm(time.Hour)
	b.settleMany(t, orders)
	if n, err := b.Books()[0].Forget(t.Context(), time.Now(), orders); n != orders || err != nil {
		t.Fatalf("forgot %d, %v", n, err)
	}
	b.bounded(t, "with few in a hash", orders)

	// With more than eight million in a generation, Redis keeps its hashes as tables. As
	// these are as many to a hash, of a hundredth of the number.
	const many, hashes = 30_000, 50
	b.settleMany(t, 1)
	if n, err := b.Books()[0].Forget(t.Context(), time.Now(), 1); n != 1 || err != nil {
		t.Fatalf("forgot %d, %v", n, err)
	}
	key := b.rdb.Keys(t.Context(), ledgertest.Book+"d:*").Val()[0]
	var field, value string
	for field, value = range b.rdb.HGetAll(t.Context(), key).Val() {
		// its only field
	}
	_, err := b.rdb.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
		for i := range many {
			pipe.HSet(t.Context(), fmt.Sprint(ledgertest.Book, "d:1800000000:", i%hashes), fmt.Sprintf("%0*d", len(field), i), value)
		}
		return nil
	})
	must(t, err)
	b.bounded(t, "with many in a hash", many)
	b.rdb.FlushAll(t.Context())
}

// bounded checks what so many ids cost, and removes them.
func (b *bundle) bounded(t *testing.T, when string, ids int) {
	t.Helper()
	after, _, err := b.Memory(t.Context())
	must(t, err)
	b.rdb.Del(t.Context(), b.rdb.Keys(t.Context(), ledgertest.Book+"d:*").Val()...)
	before, _, err := b.Memory(t.Context())
	must(t, err)
	each := float64(after-before) / float64(ids)
	t.Logf("%s, an id needs %.1f bytes", when, each)
	if each > 100 || each < 20 {
		t.Errorf("%s, an id needs %.1f bytes", when, each)
	}
}

// settleMany writes settled orders as the ledger would, which takes less time than to let
// it write them.
func (b *bundle) settleMany(t *testing.T, n int) {
	t.Helper()
	b.do(t, accept(sample("model")), cancel("model", ""))
	fields := b.rdb.HGetAll(t.Context(), ledgertest.RecordKey("model")).Val()
	b.rdb.FlushAll(t.Context())
	_, err := b.rdb.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
		for i := range n {
			id := fmt.Sprintf("b52f8a3e-6c1d-4f0e-9d57-%012d", i)
			pipe.HSet(t.Context(), ledgertest.RecordKey(id), fields)
			pipe.ZAdd(t.Context(), ledgertest.IndexKey("cancelled"), redis.Z{Score: float64(i), Member: id})
		}
		return nil
	})
	must(t, err)
}
