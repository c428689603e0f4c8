package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// fill accepts n orders and returns their ids, newest first.
func (b *bundle) fill(t *testing.T, n int, opts ...ordertest.Option) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("o%03d", i)
		b.reach(t, ids[i], order.StatusPending, opts...)
	}
	slices.Reverse(ids)
	return ids
}

// TestListLimits holds as many orders as are asked for, 50 if nothing is said.
func TestListLimits(t *testing.T) {
	b := open(t)
	ids := b.fill(t, 201)
	for query, want := range map[string]int{"": 50, "?limit=1": 1, "?limit=51": 51, "?limit=199": 199, "?limit=200": 200} {
		p := b.list(t, "/orders"+query)
		if diff := cmp.Diff(ids[:want], p.ids); diff != "" {
			t.Errorf("%q: %s", query, diff)
		}
		rest := b.list(t, "/orders?limit=200&cursor="+p.next)
		if diff := cmp.Diff(ids[want:][:min(200, 201-want)], rest.ids); diff != "" {
			t.Errorf("after %q: %s", query, diff)
		}
	}
}

// TestListWalks meets every order once, whichever way leads to the next page.
func TestListWalks(t *testing.T) {
	b := open(t)
	const customer = `Ada & "Zoë" <a@b>; rel="next"`
	ids := b.fill(t, 7, ordertest.WithCustomer(customer))
	b.reach(t, "other", order.StatusPending)
	from := time.Now().Add(-time.Hour).In(time.FixedZone("", 2*3600+1800)).Format(time.RFC3339)
	for limit, pages := range map[string]int{"1": 7, "2": 4, "3": 3, "6": 2, "7": 1, "8": 1} {
		t.Run(limit, func(t *testing.T) {
			query := url.Values{"customer": {customer}, "status": {"pending"}, "created_from": {from}, "limit": {limit}}
			p := b.list(t, of(query))
			var got [][]string
			for got = append(got, p.ids); p.next != "" && len(got) <= len(ids); got = append(got, p.ids) {
				query.Set("cursor", p.next)
				linked := b.list(t, p.link)
				p = b.list(t, of(query))
				if diff := cmp.Diff(p, linked, cmp.AllowUnexported(page{})); diff != "" {
					t.Fatalf("the Link header leads elsewhere than next_cursor: %s", diff)
				}
			}
			if diff := cmp.Diff(ids, slices.Concat(got...)); diff != "" || len(got) != pages {
				t.Errorf("%d pages; want %d: %s", len(got), pages, diff)
			}
		})
	}
}

// TestListWalksDuringEvents meets no order twice and misses none that was there
// when it began, while orders come and move on.
func TestListWalksDuringEvents(t *testing.T) {
	b := open(t)
	ids := b.fill(t, 6)
	var got []string
	target := "/orders?limit=2"
	for i := 0; target != "" && i <= len(ids); i++ {
		p := b.list(t, target)
		got, target = append(got, p.ids...), p.link
		b.reach(t, fmt.Sprint("new", i), order.StatusPending)
		for _, id := range []string{ids[min(2*i+1, 5)], ids[min(2*i+2, 5)]} {
			if b.status(t, id) == order.StatusPending {
				if err := b.move(t, id, order.StatusCompleted); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Error(diff)
	}
}
