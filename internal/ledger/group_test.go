package ledger_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGroup holds that changes of many orders which come at the same time travel in
// one script, and that each has the answer and the effect that it has alone.
func TestGroup(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before func(id string) []step
		change func(id string) call
	}{
		{"begin", nil, func(id string) call { return beginning(id, "a") }},
		{"fail", func(id string) []step { return []step{begin(claim(id, "a"))} }, func(id string) call { return failing(id, "a") }},
		{"settle", func(id string) []step { return []step{begin(claim(id, "a"))} }, func(id string) call { return settling(id, "a", completed()) }},
		{"cancel", nil, func(id string) call { return cancelling(id, "changed my mind") }},
		{"retry", func(id string) []step {
			return []step{begin(claim(id, "a")), settle(claim(id, "a"), outOfStock())}
		}, func(id string) call { return retrying(id, "r1") }},
		{"lost", func(id string) []step { return []step{begin(claim(id, "a"))} }, func(id string) call { return losing(id, 1) }},
		{"requeued", nil, func(id string) call { return requeuing(id, "r1") }},
		{"get", nil, getting},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			grouped, single := group(t), &grouping{bundle: newBundle(t)}
			var ids []string
			var calls []call
			for n := range 20 {
				id := fmt.Sprint("o", n)
				ids, calls = append(ids, id), append(calls, row.change(id))
				for _, b := range []*bundle{grouped.bundle, single.bundle} {
					b.do(t, accept(sample(id)))
					if row.before != nil {
						b.do(t, row.before(id)...)
					}
				}
			}
			want := single.alone(t, calls...)
			if diff := cmp.Diff(want, grouped.together(t, row.change("nobody"), calls...), ignoreTimes); diff != "" {
				t.Errorf("answers (-alone +together):\n%s", diff)
			}
			if diff := cmp.Diff(single.pages(t, ids...), grouped.pages(t, ids...), ignoreTimes); diff != "" {
				t.Errorf("the books say (-alone +together):\n%s", diff)
			}
		})
	}
}

// TestGroupOfOneOrder holds that changes of the same order which travel together are
// made one after the other.
func TestGroupOfOneOrder(t *testing.T) {
	t.Parallel()
	begun := []step{begin(claim("o1", "a"))}
	refused := []step{begin(claim("o1", "a")), settle(claim("o1", "a"), outOfStock())}
	rows := []struct {
		name   string
		before []step
		first  call // for an order that nobody knows
		calls  []call
	}{
		{"two deliveries begin", nil, beginning("nobody", "a"), []call{beginning("o1", "a"), beginning("o1", "b")}},
		{"one delivery begins twice", nil, beginning("nobody", "a"), []call{beginning("o1", "a"), beginning("o1", "a")}},
		{
			"more begin than may", nil, beginning("nobody", "a"),
			[]call{beginning("o1", "a"), beginning("o1", "b"), beginning("o1", "c"), beginning("o1", "d"), beginning("o2", "a")},
		},
		{"settled twice by one", begun, settling("nobody", "a", completed()), []call{
			settling("o1", "a", completed()), settling("o1", "a", completed()),
		}},
		{"settled by one, then by another", begun, settling("nobody", "a", completed()), []call{
			settling("o1", "a", completed()), settling("o1", "b", outOfStock()),
		}},
		{"settled by an old one, then by its holder", begun, settling("nobody", "a", completed()), []call{
			settling("o1", "b", outOfStock()), settling("o2", "a", completed()), settling("o1", "a", completed()),
		}},
		{"failed twice", begun, failing("nobody", "a"), []call{failing("o1", "a"), failing("o1", "a")}},
		{"cancelled for two reasons", nil, cancelling("nobody", ""), []call{cancelling("o1", "first"), cancelling("o1", "second")}},
		{"retried twice by one", refused, retrying("nobody", "r1"), []call{retrying("o1", "r1"), retrying("o1", "r1")}},
		{"retried by two", refused, retrying("nobody", "r1"), []call{retrying("o1", "r1"), retrying("o1", "r2")}},
		{"lost twice", begun, losing("nobody", 1), []call{losing("o1", 1), losing("o1", 1)}},
		{"requeued twice", nil, requeuing("nobody", "r1"), []call{requeuing("o1", "r1"), requeuing("o1", "r1"), requeuing("o1", "r2")}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			grouped, single := group(t), &grouping{bundle: newBundle(t)}
			for _, b := range []*bundle{grouped.bundle, single.bundle} {
				b.do(t, accept(sample("o1")), accept(sample("o2")), begin(claim("o2", "a")))
				b.do(t, row.before...)
			}
			want := single.alone(t, row.calls...)
			if diff := cmp.Diff(want, grouped.together(t, row.first, row.calls...), ignoreTimes); diff != "" {
				t.Errorf("answers (-alone +together):\n%s", diff)
			}
			if diff := cmp.Diff(single.pages(t), grouped.pages(t), ignoreTimes); diff != "" {
				t.Errorf("the books say (-alone +together):\n%s", diff)
			}
		})
	}
}
