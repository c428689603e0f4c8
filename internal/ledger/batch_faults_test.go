package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// TestBatchWithACorruptRecord checks that an order whose record is corrupt fails alone,
// wherever in its batch it is, and that its update leaves nothing in the books.
func TestBatchWithACorruptRecord(t *testing.T) {
	t.Parallel()
	begins := func(id string) step { return begin(claim(id, "a")) }
	rows := []struct {
		name    string
		update  func(id string) step
		field   string // that the record lacks; empty for a key that is no record
		corrupt int    // the number of the corrupt order
	}{
		{"begin, no record, first", begins, "", 0},
		{"begin, no record, in the middle", begins, "", 2},
		{"begin, no record, last", begins, "", 4},
		{"begin, no time of acceptance", begins, "c", 1},
		{"begin, no sequence", begins, "v", 1},
		{"begin, no queue", begins, "q", 1},
		{"get, no record, first", get, "", 0},
		{"get, no record, in the middle", get, "", 2},
		{"get, no record, last", get, "", 4},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := openBatching(t)
			var steps []step
			for n := range 5 {
				id := fmt.Sprint("o", n)
				b.do(t, accept(sample(id)))
				steps = append(steps, row.update(id))
			}
			restore := b.corrupt(t, steps[row.corrupt].id, row.field)
			for n, a := range b.together(t, steps...) {
				if failed := a.Err != ""; failed != (n == row.corrupt) || strings.Contains(a.Err, "WRONGTYPE") != (failed && row.field == "") {
					t.Errorf("call %d answered %+v", n, a)
				}
			}
			restore()
			for n, s := range steps {
				want := order.StatusPending
				if n != row.corrupt && !strings.HasPrefix(row.name, "get") {
					want = order.StatusProcessing
				}
				if got := b.get(t, s.id).Status; got != want {
					t.Errorf("order %s is %s, want %s", s.id, got, want)
				}
			}
		})
	}
}

// corrupt removes a field of a record, or replaces the record by a text, and returns what
// restores it.
func (b *bundle) corrupt(t *testing.T, id, field string) (restore func()) {
	t.Helper()
	ctx, key := t.Context(), ledgertest.RecordKey(id)
	if field != "" {
		value := b.rdb.HGet(ctx, key, field).Val()
		b.rdb.HDel(ctx, key, field)
		return func() { b.rdb.HSet(ctx, key, field, value) }
	}
	b.rdb.Rename(ctx, key, "kept")
	b.rdb.Set(ctx, key, "not a record", 0)
	return func() { b.rdb.Rename(ctx, "kept", key) }
}

// TestAcceptAllWithACorruptIndex checks that of many new orders only those fail whose
// customer's index is corrupt, and that nothing of them is in the books.
func TestAcceptAllWithACorruptIndex(t *testing.T) {
	b := open(t)
	b.do(t, accept(of("grace", sample("before"))))
	index := b.rdb.Keys(t.Context(), ledgertest.CustomerKeys).Val()[0]
	if err := b.rdb.Rename(t.Context(), index, "kept").Err(); err != nil {
		t.Fatal(err)
	}
	b.rdb.Set(t.Context(), index, "not an index", 0)
	answers, err := b.AcceptAll(t.Context(), entries(sample("o1"), of("grace", sample("o2")), sample("o3")))
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if failed := a.Err != nil; failed != (i == 1) || a.IsNew == failed {
			t.Errorf("order %d: %+v", i+1, a)
		}
	}
	if _, err := b.Get(t.Context(), "o2"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("the refused order: %v", err)
	}
	b.rdb.Rename(t.Context(), "kept", index)
}

// TestBatchFaults breaks the script of a batch in both ways a network can. All its callers
// get the error, and when they repeat their updates the books are as without the fault.
func TestBatchFaults(t *testing.T) {
	t.Parallel()
	a1, b1, a2, b2 := claim("o1", "a"), claim("o1", "b"), claim("o2", "a"), claim("o2", "b")
	for name, steps := range map[string][]step{
		"settle": {settle(a1, completed()), settle(a2, refused()), settle(a1, completed())},
		"fail":   {fail(a1), fail(a2)},
		"begin":  {begin(b1), begin(b2)},
	} {
		for _, fault := range redistest.Faults() {
			t.Run(name+"/"+fault.String(), func(t *testing.T) {
				batched, alone := openBatching(t), newBundle(t)
				for _, b := range []*bundle{batched.bundle, alone} {
					b.do(t, accept(sample("o1")), accept(sample("o2")), begin(a1), begin(a2))
				}
				batched.breaker.Break(fault, redistest.Script(ledgertest.RecordKey("o1")))
				for i, a := range batched.together(t, steps...) {
					if !strings.Contains(a.Err, order.ErrUnavailable.Error()) {
						t.Errorf("call %d answered %+v", i, a)
					}
				}
				if batched.breaker.Fired() != 1 {
					t.Fatalf("%d scripts were broken", batched.breaker.Fired())
				}
				batched.checkBatch(t, alone, steps...)
			})
		}
	}
}

// TestGivingUp checks that a caller whose context ends while its update waits for a Redis
// that hangs gets an error at once, and that the update is not made.
func TestGivingUp(t *testing.T) {
	b := openBatching(t)
	b.do(t, accept(sample("o1")))
	first := b.delayNext()
	var all sync.WaitGroup
	all.Go(func() { begin(claim("nobody", "a")).answer(t.Context(), b.batched) })
	<-first.reached
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := b.batched.Begin(ctx, claim("o1", "a")); !errors.Is(err, order.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("answered %v", err)
	}
	close(first.resume)
	all.Wait()
	if _, err := b.batched.Begin(t.Context(), claim("o1", "b")); err != nil {
		t.Error(err)
	}
	want := []order.Attempt{attempt(1, "b", "", "")}
	if diff := cmp.Diff(want, b.get(t, "o1").Attempts, ignoreTimes); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
}
