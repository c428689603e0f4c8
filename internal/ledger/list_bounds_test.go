package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// TestListWithUnreadable checks that a list has the readable records even if others cannot
// be read, and that only some of these are named.
func TestListWithUnreadable(t *testing.T) {
	books, _ := openWithOrders(t)
	corrupt := func(id, document string) { books.rdb.HSet(t.Context(), ledgertest.RecordKey(id), "d", document) }
	corrupt("o5", "{")
	records, next, err := books.List(t.Context(), order.Filter{}, order.Position{}, 10)
	if !errors.Is(err, order.ErrUnreadable) || errors.Is(err, order.ErrUnavailable) || !strings.Contains(err.Error(), "order o5") {
		t.Errorf("list answered %v", err)
	}
	if diff := cmp.Diff([]string{"o6", "o4", "o3", "o2", "o1"}, ids(records)); diff != "" || !next.IsZero() {
		t.Errorf("next is %v, orders (-want +got):\n%s", next, diff)
	}
	if _, err := books.Get(t.Context(), "o5"); !errors.Is(err, order.ErrUnreadable) {
		t.Errorf("get answered %v", err)
	}

	for id, document := range map[string]string{"o1": `[]`, "o2": ``, "o6": `{"amount":true}`} {
		corrupt(id, document)
	}
	records, next, err = books.List(t.Context(), order.Filter{}, order.Position{}, 2)
	if len(records) != 0 || next.ID != "o5" || !errors.Is(err, order.ErrUnreadable) {
		t.Errorf("a page of unreadable orders is %v, next %v, %v", records, next, err)
	}
	records, _, err = books.List(t.Context(), order.Filter{}, order.Position{}, 10)
	if diff := cmp.Diff([]string{"o4", "o3"}, ids(records)); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if n := strings.Count(fmt.Sprint(err), "parse record"); n != 3 {
		t.Errorf("of four unreadable orders %d are named: %v", n, err)
	}
}

// TestListExaminesOnlySoMany checks that a page ends after so many orders that do not
// match, and that the next one continues from there.
func TestListExaminesOnlySoMany(t *testing.T) {
	books := open(t)
	const examined = 2000
	c := claim("wanted", "a")
	books.do(t, accept(sample("wanted")), begin(c), settle(c, completed()))
	books.acceptMany(t, examined+1)
	wanted := order.Filter{Customer: sample("").Customer, Status: order.StatusCompleted}
	pages := books.walk(t, wanted, order.Position{}, 10)
	if len(pages) != 2 || len(pages[0].Records) != 0 {
		t.Fatalf("%d pages, %d orders on the first", len(pages), len(pages[0].Records))
	}
	if got := ids(pages[1].Records); !slices.Equal(got, []string{"wanted"}) {
		t.Errorf("found %q", got)
	}
	all := books.page(t, order.Filter{}, order.Position{}, examined)
	if last := all.Records[examined-1]; pages[0].Next.ID != last.ID || all.Next != pages[0].Next {
		t.Errorf("the first page ended at %v, order %d is %v", pages[0].Next, examined, last.ID)
	}
	if n := len(books.page(t, order.Filter{}, order.Position{}, examined+2).Records); n != examined {
		t.Errorf("a page examined %d orders", n)
	}
}

// TestListPageStopsGrowing checks that a page of large records has 4 MiB and what its last
// order adds.
func TestListPageStopsGrowing(t *testing.T) {
	books := open(t)
	for i := range 6 {
		o := sample(fmt.Sprint("o", i+1))
		o.Notes = strings.Repeat("n", 1<<20)
		books.do(t, accept(o))
	}
	var got [][]string
	for _, p := range books.walk(t, order.Filter{}, order.Position{}, 100) {
		got = append(got, ids(p.Records))
	}
	if diff := cmp.Diff([][]string{{"o6", "o5", "o4", "o3"}, {"o2", "o1"}}, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}
