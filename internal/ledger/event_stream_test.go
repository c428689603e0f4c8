package ledger_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// after returns the events after a place, in one reading, and where that ended.
func (b *bundle) after(t *testing.T, place order.EventID) ([]order.Event, order.EventID) {
	t.Helper()
	events, next, err := b.EventsAfter(t.Context(), place, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	return events, next
}

// TestStreamIsTheTimelines holds that the stream tells what the timelines tell.
func TestStreamIsTheTimelines(t *testing.T) {
	b := open(t)
	b.do(t, accept(sample("o1")), begin(claim("o1", "a")), fail(claim("o1", "a")), accept(sample("o2")))
	b.do(t, cancel("o2", "changed my mind"))
	events, place := b.after(t, order.EventID{})
	want := append(b.events(t, "o1"), b.events(t, "o2")...)
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if place.String() != want[4].ID {
		t.Errorf("the place after %s is %s", want[4].ID, place)
	}
	if more, again := b.after(t, place); len(more) != 0 || again != place {
		t.Errorf("after all there are %v, place %s", more, again)
	}
}

// TestStreamGoesOnAnywhere holds that reading on after any event, in the middle of an
// entry too, finds exactly the later ones.
func TestStreamGoesOnAnywhere(t *testing.T) {
	b := open(t)
	b.acceptMany(t, 25)
	all, _ := b.after(t, order.EventID{})
	if len(all) != 25 {
		t.Fatalf("%d events", len(all))
	}
	for i, e := range all {
		id, err := order.ParseEventID(e.ID)
		if err != nil {
			t.Fatal(err)
		}
		rest, _ := b.after(t, id)
		if diff := cmp.Diff(all[i+1:], rest, cmp.Transformer("some", func(e []order.Event) []order.Event {
			return slices.Clip(append([]order.Event{}, e...))
		})); diff != "" {
			t.Fatalf("after event %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestStreamIsReadInParts holds that one reading is bounded, and the next goes on.
func TestStreamIsReadInParts(t *testing.T) {
	b := open(t)
	b.acceptMany(t, 2500)
	var place order.EventID
	seen, readings := map[string]bool{}, 0
	for {
		events, next := b.after(t, place)
		if len(events) == 0 {
			break
		}
		if len(events) > 1000 {
			t.Errorf("one reading has %d events", len(events))
		}
		for _, e := range events {
			seen[e.OrderID] = true
		}
		place, readings = next, readings+1
	}
	if len(seen) != 2500 || readings < 3 {
		t.Errorf("%d orders in %d readings", len(seen), readings)
	}
}

func TestStreamWaits(t *testing.T) {
	b := open(t)
	_, place := b.after(t, order.EventID{})
	type reading struct {
		events []order.Event
		err    error
	}
	read := make(chan reading, 1)
	go func() {
		events, _, err := b.EventsAfter(t.Context(), place, 100, 10*time.Second)
		read <- reading{events, err}
	}()
	b.do(t, accept(sample("o1")))
	got := <-read
	if got.err != nil || len(got.events) != 1 || got.events[0].OrderID != "o1" {
		t.Errorf("events %v, %v", got.events, got.err)
	}
}

func TestStreamOfAnotherVersion(t *testing.T) {
	b := open(t)
	for i := range 150 { // more than one reading has
		old := &redis.XAddArgs{Stream: ledgertest.EventsKey, ID: fmt.Sprintf("1-%d", i), Values: []any{"order", "o0", "status", "pending"}}
		if err := b.rdb.XAdd(t.Context(), old).Err(); err != nil {
			t.Fatal(err)
		}
	}
	b.do(t, accept(sample("o1")))
	events, place := b.after(t, order.EventID{})
	if len(events) != 0 || place == (order.EventID{}) {
		t.Fatalf("entries of another version are %v, place %s", events, place)
	}
	if events, _ = b.after(t, place); len(events) != 1 || events[0].OrderID != "o1" {
		t.Errorf("events after them are %v", events)
	}
	if err := b.rdb.XTrimMinID(t.Context(), ledgertest.EventsKey, "2").Err(); err != nil {
		t.Fatal(err) // the checker of the books knows this version's only
	}
}

func TestReach(t *testing.T) {
	b := open(t)
	reach := func() (oldest, newest order.EventID) {
		oldest, newest, err := b.Reach(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return oldest, newest
	}
	if oldest, newest := reach(); oldest != (order.EventID{}) || newest != oldest {
		t.Errorf("of no events %s to %s are kept", oldest, newest)
	}
	b.acceptMany(t, 30)
	all, _ := b.after(t, order.EventID{})
	if oldest, newest := reach(); oldest != (order.EventID{}) || newest.String() != all[29].ID {
		t.Errorf("of all events %s to %s are kept", oldest, newest)
	}
	if err := b.rdb.XTrimMaxLen(t.Context(), ledgertest.EventsKey, 1).Err(); err != nil {
		t.Fatal(err)
	}
	if oldest, newest := reach(); oldest.String() != all[20].ID || newest.String() != all[29].ID {
		t.Errorf("of the last entry %s to %s are kept; want %s to %s", oldest, newest, all[20].ID, all[29].ID)
	}
	if err := b.rdb.XTrimMaxLen(t.Context(), ledgertest.EventsKey, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if oldest, newest := reach(); oldest != newest || newest.String() != all[29].ID {
		t.Errorf("of an empty stream %s to %s are kept", oldest, newest)
	}
}
