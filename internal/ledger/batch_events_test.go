package ledger_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// TestBatchEvents checks that the events of a batch are in the stream in turn, with ids
// that increase even when the clock has gone back, and that whoever continues after any
// of them, in the middle of an entry too, reads exactly the later ones.
func TestBatchEvents(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, b *batching){
		"the clock goes on": func(*testing.T, *batching) {},
		"the clock has gone back": func(t *testing.T, b *batching) {
			t.Helper()
			if err := b.rdb.Do(t.Context(), "XSETID", ledgertest.EventsKey, "9999999999999-7").Err(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBatching(t)
			var begins, settles []step
			var want []string
			for n := range 12 {
				c := claim(fmt.Sprint("o", n), "a")
				b.do(t, accept(sample(c.ID)))
				begins, settles = append(begins, begin(c)), append(settles, settle(c, completed()))
				want = append(want, c.ID)
			}
			prepare(t, b)
			before := b.rdb.XLen(t.Context(), ledgertest.EventsKey).Val()
			b.together(t, begins...)
			b.together(t, settles...)
			if n := b.rdb.XLen(t.Context(), ledgertest.EventsKey).Val() - before; n != 4 {
				t.Errorf("two batches of 12 events added %d entries, want two each", n)
			}
			events, _ := b.after(t, order.EventID{})
			var got []string
			var last order.EventID
			for i, e := range events {
				id, err := order.ParseEventID(e.ID)
				if err != nil || id.Compare(last) <= 0 {
					t.Fatalf("event %s follows %s, %v", e.ID, last, err)
				}
				got, last = append(got, e.OrderID), id
				rest, _ := b.after(t, id)
				if diff := cmp.Diff(events[i+1:], rest, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("after event %d (-want +got):\n%s", i+1, diff)
				}
			}
			if diff := cmp.Diff(append(append(want, want...), want...), got); diff != "" {
				t.Errorf("orders of the events (-want +got):\n%s", diff)
			}
		})
	}
}
