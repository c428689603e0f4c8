package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// after returns the events after an id, up to 100 entries, and the id to continue after.
func (b *bundle) after(t *testing.T, id order.EventID) ([]order.Event, order.EventID) {
	t.Helper()
	events, next, err := b.Books()[0].EventsAfter(t.Context(), id, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	return events, next
}

// TestStreamIsTheTimelines checks that the stream has the events of the timelines.
func TestStreamIsTheTimelines(t *testing.T) {
	b := open(t)
	b.do(t, accept(sample("o1")), begin(claim("o1", "a")), fail(claim("o1", "a")), accept(sample("o2")))
	b.do(t, cancel("o2", "changed my mind"))
	events, last := b.after(t, order.EventID{})
	want := append(b.events(t, "o1"), b.events(t, "o2")...)
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if last.String() != want[4].ID {
		t.Errorf("after %s one continues after %s", want[4].ID, last)
	}
	if more, again := b.after(t, last); len(more) != 0 || again != last {
		t.Errorf("after all there are %v, up to %s", more, again)
	}
}

// TestStreamIsReadInParts checks that one reading is bounded, and that the next continues.
func TestStreamIsReadInParts(t *testing.T) {
	b := open(t)
	b.acceptMany(t, 2500)
	var last order.EventID
	seen, readings := map[string]bool{}, 0
	for {
		events, next := b.after(t, last)
		if len(events) == 0 {
			break
		}
		if len(events) > 1000 {
			t.Errorf("one reading has %d events", len(events))
		}
		for _, e := range events {
			seen[e.OrderID] = true
		}
		last, readings = next, readings+1
	}
	if len(seen) != 2500 || readings < 3 {
		t.Errorf("%d orders in %d readings", len(seen), readings)
	}
}

func TestStreamWaits(t *testing.T) {
	b := open(t)
	type reading struct {
		events []order.Event
		err    error
	}
	read := make(chan reading, 1)
	go func() {
		events, _, err := b.Books()[0].EventsAfter(t.Context(), order.EventID{}, 100, 10*time.Second)
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
	events, last := b.after(t, order.EventID{})
	if len(events) != 0 || last == (order.EventID{}) {
		t.Fatalf("entries of another version are %v, up to %s", events, last)
	}
	if events, _ = b.after(t, last); len(events) != 1 || events[0].OrderID != "o1" {
		t.Errorf("events after them are %v", events)
	}
	if err := b.rdb.XTrimMinID(t.Context(), ledgertest.EventsKey, "2").Err(); err != nil {
		t.Fatal(err) // the checker of the books knows this version's only
	}
}

func TestReach(t *testing.T) {
	b := open(t)
	wantReach := func(wantOldest, wantNewest string) {
		t.Helper()
		oldest, newest, err := b.Books()[0].Reach(t.Context())
		if oldest.String() != wantOldest || newest.String() != wantNewest || err != nil {
			t.Errorf("%s to %s are kept, %v, want %s to %s", oldest, newest, err, wantOldest, wantNewest)
		}
	}
	none := order.EventID{}.String()
	wantReach(none, none)
	b.acceptMany(t, 30)
	all, _ := b.after(t, order.EventID{})
	wantReach(none, all[29].ID)
	b.rdb.XTrimMaxLen(t.Context(), ledgertest.EventsKey, 1)
	wantReach(all[20].ID, all[29].ID)
	b.rdb.XTrimMaxLen(t.Context(), ledgertest.EventsKey, 0)
	wantReach(all[29].ID, all[29].ID)
}
