package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

func entries(orders ...order.Order) []order.Entry {
	all := make([]order.Entry, len(orders))
	for i, o := range orders {
		all[i] = order.Entry{Order: o, Queue: order.QueueDefault}
	}
	return all
}

// TestAcceptAll checks that each of many orders is accepted as it would be alone.
func TestAcceptAll(t *testing.T) {
	books := open(t)
	books.do(t, accept(sample("known")), begin(claim("known", "a")))
	other := sample("known")
	other.Notes = "different"
	again := sample("first")
	again.Notes = "different"
	batch := []order.Order{
		sample("first"), sample("known"), other, scheduled(sample("later")), of("grace", sample("second")),
		sample("first"), again, at(sample("past"), time.Now().Add(-time.Hour)),
	}
	answers, err := books.AcceptAll(t.Context(), entries(batch...))
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		ID    string
		IsNew bool
		Known bool
		order.Status
	}
	var got []result
	for i, a := range answers {
		if a.Err != nil {
			if !errors.Is(a.Err, order.ErrConflict) {
				t.Errorf("order %d: %v", i+1, a.Err)
			}
			got = append(got, result{})
			continue
		}
		got = append(got, result{a.Record.ID, a.IsNew, !a.IsNew, a.Record.Status})
		if diff := cmp.Diff(books.get(t, batch[i].ID), a.Record); diff != "" {
			t.Errorf("the answer for order %d differs from the record (-record +answer):\n%s", i+1, diff)
		}
	}
	want := []result{
		{"first", true, false, order.StatusPending},
		{"known", false, true, order.StatusProcessing},
		{},
		{"later", true, false, order.StatusScheduled},
		{"second", true, false, order.StatusPending},
		{"first", false, true, order.StatusPending},
		{},
		{"past", true, false, order.StatusPending},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	listed := idsOf(books.walk(t, order.Filter{}, order.Position{}, 2))
	if diff := cmp.Diff([]string{"past", "second", "later", "first", "known"}, listed); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	totals := books.totals(t)
	if totals.Accepted != 5 || totals.ByStatus[order.StatusPending] != 3 || totals.ByStatus[order.StatusScheduled] != 1 {
		t.Errorf("%d are accepted, by status %v", totals.Accepted, totals.ByStatus)
	}
}

// TestAcceptAllKeepsTheirOrder checks that the orders of the largest batch are listed in
// their order, and can be begun at once.
func TestAcceptAllKeepsTheirOrder(t *testing.T) {
	books := open(t)
	const most = 500
	batch := make([]order.Order, most)
	var want []string
	for i := range batch {
		batch[i] = sample(fmt.Sprint("o", i))
		want = append(want, batch[i].ID)
	}
	books.do(t, acceptAll(batch...))
	last := claim(batch[most-1].ID, "a")
	books.do(t, begin(last), settle(last, completed()))
	got := ids(books.page(t, order.Filter{}, order.Position{}, most).Records)
	slices.Reverse(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	events := books.events(t, last.ID)
	if events[1].At.Before(events[0].At) {
		t.Errorf("accepted at %v, begun at %v", events[0].At, events[1].At)
	}
}

// TestAcceptAllOfNoneOrTooMany checks the bounds of a batch.
func TestAcceptAllOfNoneOrTooMany(t *testing.T) {
	books := open(t)
	if answers, err := books.AcceptAll(t.Context(), nil); len(answers) != 0 || err != nil {
		t.Errorf("no orders answered %v, %v", answers, err)
	}
	if _, err := books.AcceptAll(t.Context(), make([]order.Entry, 501)); err == nil || errors.Is(err, order.ErrUnavailable) {
		t.Errorf("too many orders answered %v", err)
	}
	if keys := books.dump(t); len(keys) != 0 {
		t.Errorf("%d keys were written", len(keys))
	}
}
