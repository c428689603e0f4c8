package ledger_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// number is the id of an event as two numbers, to compare.
func number(t *testing.T, id string) (n [2]int64) {
	t.Helper()
	if _, err := fmt.Sscanf(id, "%d-%d", &n[0], &n[1]); err != nil {
		t.Fatalf("event id %q: %v", id, err)
	}
	return n
}

func later(a, b [2]int64) bool { return a[0] > b[0] || a[0] == b[0] && a[1] > b[1] }

// TestGroupEvents holds that the events of a group are in the stream in turn, with
// ids that increase even when the clock has gone back, and that whoever reads on
// after any of them finds all that came later and nothing twice.
func TestGroupEvents(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, g *grouping){
		"the clock goes on": func(*testing.T, *grouping) {},
		"the clock has gone back": func(t *testing.T, g *grouping) {
			t.Helper()
			if err := g.rdb.Do(t.Context(), "XSETID", ledgertest.EventsKey, "9999999999999-7").Err(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := group(t)
			var begins, settles []call
			var want []string
			for n := range 12 {
				id := fmt.Sprint("o", n)
				g.do(t, accept(sample(id)))
				begins, settles = append(begins, beginning(id, "a")), append(settles, settling(id, "a", completed()))
				want = append(want, id)
			}
			prepare(t, g)
			before := g.rdb.XLen(t.Context(), ledgertest.EventsKey).Val()
			g.together(t, beginning("nobody", "a"), begins...)
			g.together(t, settling("nobody", "a", completed()), settles...)
			if n := g.rdb.XLen(t.Context(), ledgertest.EventsKey).Val() - before; n != 4 {
				t.Errorf("two groups of 12 events added %d entries, want two each", n)
			}
			events := g.stream(t)
			var got []string
			for i, e := range events {
				got = append(got, e.Order)
				if i > 0 && !later(number(t, e.ID), number(t, events[i-1].ID)) {
					t.Errorf("event %s follows %s", e.ID, events[i-1].ID)
				}
			}
			if diff := cmp.Diff(append(append(want, want...), want...), got); diff != "" {
				t.Errorf("orders of the events (-want +got):\n%s", diff)
			}
			for i, e := range events {
				after, err := order.ParseEventID(e.ID)
				if err != nil {
					t.Fatal(err)
				}
				rest, _ := g.after(t, after)
				if len(rest) != len(events)-i-1 || len(rest) > 0 && rest[0].ID != events[i+1].ID {
					t.Errorf("%d events follow event %d of %d", len(rest), i+1, len(events))
				}
			}
		})
	}
}
