package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
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
				g.checkReadOn(t, e, events[i+1:])
			}
		})
	}
}

// checkReadOn reads the stream on after an event, as any reader would.
func (g *grouping) checkReadOn(t *testing.T, after ledgertest.Event, want []ledgertest.Event) {
	t.Helper()
	streams, err := g.rdb.XRead(t.Context(), &redis.XReadArgs{Streams: []string{ledgertest.EventsKey, after.ID}, Block: -1}).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	var wanted, got []string
	for _, e := range want {
		wanted = append(wanted, e.ID)
	}
	for _, s := range streams {
		for _, entry := range s.Messages {
			for line := range strings.Lines(entry.Values["e"].(string)) {
				if id, _, _ := strings.Cut(line, "\t"); later(number(t, id), number(t, after.ID)) {
					got = append(got, id)
				}
			}
			if !later(number(t, entry.ID), number(t, after.ID)) {
				t.Errorf("after %s, entry %s was read again", after.ID, entry.ID)
			}
		}
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("read on after %s (-want +got):\n%s", after.ID, diff)
	}
}
