package ledger_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

func of(customer string, o order.Order) order.Order {
	o.Customer = customer
	return o
}

// backdate makes it so that an order was accepted at another time.
func (b *bundle) backdate(t *testing.T, id string, created time.Time) {
	t.Helper()
	us := created.UnixMicro()
	record := ledgertest.RecordKey(id)
	// The timeline has the ids of its events whole, or they would move with it.
	var timeline []string
	for i, line := range strings.Split(b.rdb.HGet(t.Context(), record, "t").Val(), "\n") {
		part := strings.Split(line, "\t")
		part[1] = b.events(t, id)[i].ID
		timeline = append(timeline, strings.Join(part, "\t"))
	}
	pipe := b.rdb.TxPipeline()
	pipe.HSet(t.Context(), record, "c", us, "t", strings.Join(timeline, "\n"))
	for _, key := range b.rdb.Keys(t.Context(), ledgertest.Book+"[su]:*").Val() {
		pipe.ZAddXX(t.Context(), key, redis.Z{Score: float64(us), Member: id})
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// page is what one call of List returns.
type page struct {
	Records []order.Record
	Next    order.Position
}

func (b *bundle) page(t *testing.T, f order.Filter, after order.Position, limit int) page {
	t.Helper()
	records, next, err := b.List(t.Context(), f, after, limit)
	if err != nil {
		t.Fatalf("list %+v after %+v: %v", f, after, err)
	}
	return page{records, next}
}

// walk reads all pages from a position on.
func (b *bundle) walk(t *testing.T, f order.Filter, after order.Position, limit int) []page {
	t.Helper()
	var pages []page
	for {
		p := b.page(t, f, after, limit)
		pages = append(pages, p)
		if p.Next.IsZero() {
			return pages
		}
		if !after.IsZero() && !further(p.Next, after) {
			t.Fatalf("the page after %+v goes on after %+v", after, p.Next)
		}
		after = p.Next
	}
}

// further reports whether a position in the list of all orders comes after another.
func further(p, than order.Position) bool {
	return p.CreatedAt.Before(than.CreatedAt) || (p.CreatedAt.Equal(than.CreatedAt) && p.ID < than.ID)
}

func idsOf(pages []page) []string {
	var all []string
	for _, p := range pages {
		all = append(all, ids(p.Records)...)
	}
	return all
}

// openWithOrders returns books with orders of two customers in several statuses, a second
// apart: o1 is the oldest.
func openWithOrders(t *testing.T) (books *bundle, created map[string]time.Time) {
	t.Helper()
	books = open(t)
	for i, customer := range []string{"ada", "grace", "ada", "grace", "ada", "ada"} {
		id := fmt.Sprint("o", i+1)
		books.do(t, accept(of(customer, sample(id))))
	}
	books.do(t, begin(claim("o1", "a")), settle(claim("o1", "a"), completed()))
	books.do(t, begin(claim("o2", "a")), settle(claim("o2", "a"), completed()))
	books.do(t, begin(claim("o4", "a")), fail(claim("o4", "a")))
	books.do(t, cancel("o5", ""))
	newest := books.get(t, "o6").CreatedAt
	created = map[string]time.Time{}
	for i := range 6 {
		id := fmt.Sprint("o", i+1)
		created[id] = newest.Add(time.Duration(i-5) * time.Second)
		books.backdate(t, id, created[id])
	}
	return books, created
}

// TestList checks filters, order and pages of the list.
func TestList(t *testing.T) {
	books, created := openWithOrders(t)
	const least = time.Microsecond
	finer := created["o3"].Add(time.Nanosecond)
	pendingOfAda := order.Filter{Customer: "ada", Status: order.StatusPending}
	betweenOfAda := order.Filter{Status: order.StatusPending, Customer: "ada", CreatedFrom: created["o2"], CreatedTo: created["o6"]}
	rows := []struct {
		name   string
		filter order.Filter
		after  string // an order's id
		limit  int
		want   []string
		next   string // likewise
	}{
		{"all", order.Filter{}, "", 10, []string{"o6", "o5", "o4", "o3", "o2", "o1"}, ""},
		{"a page", order.Filter{}, "", 2, []string{"o6", "o5"}, "o5"},
		{"the next page", order.Filter{}, "o5", 2, []string{"o4", "o3"}, "o3"},
		{"a full last page", order.Filter{}, "o3", 2, []string{"o2", "o1"}, ""},
		{"a page of one", order.Filter{}, "o2", 1, []string{"o1"}, ""},
		{"after the last", order.Filter{}, "o1", 2, nil, ""},
		{"of a status", order.Filter{Status: order.StatusCompleted}, "", 10, []string{"o2", "o1"}, ""},
		{"a page of a status", order.Filter{Status: order.StatusPending}, "", 1, []string{"o6"}, "o6"},
		{"the next of a status", order.Filter{Status: order.StatusPending}, "o6", 1, []string{"o3"}, ""},
		{"of a status after an order of another", order.Filter{Status: order.StatusPending}, "o5", 1, []string{"o3"}, ""},
		{"of a status that none is in", order.Filter{Status: order.StatusExpedited}, "", 10, nil, ""},
		{"of a customer", order.Filter{Customer: "ada"}, "", 10, []string{"o6", "o5", "o3", "o1"}, ""},
		{"a page of a customer", order.Filter{Customer: "grace"}, "", 1, []string{"o4"}, "o4"},
		{"of an unknown customer", order.Filter{Customer: "alan"}, "", 10, nil, ""},
		{"of a customer spelt otherwise", order.Filter{Customer: "Ada"}, "", 10, nil, ""},
		{"of a customer in a status", pendingOfAda, "", 10, []string{"o6", "o3"}, ""},
		{"a page of a customer in a status", pendingOfAda, "", 1, []string{"o6"}, "o6"},
		{"of a customer in a status that none is in", order.Filter{Customer: "ada", Status: order.StatusRetrying}, "", 10, nil, ""},
		{"from a time", order.Filter{CreatedFrom: created["o4"]}, "", 10, []string{"o6", "o5", "o4"}, ""},
		{"from a little later", order.Filter{CreatedFrom: created["o4"].Add(least)}, "", 10, []string{"o6", "o5"}, ""},
		{"to a time", order.Filter{CreatedTo: created["o3"]}, "", 10, []string{"o2", "o1"}, ""},
		{"to a little later", order.Filter{CreatedTo: created["o3"].Add(least)}, "", 10, []string{"o3", "o2", "o1"}, ""},
		{"the next to a time", order.Filter{CreatedTo: created["o5"]}, "o4", 1, []string{"o3"}, "o3"},
		{"to a time before the position", order.Filter{CreatedTo: created["o3"]}, "o5", 10, []string{"o2", "o1"}, ""},
		{"to the time of the position", order.Filter{CreatedTo: created["o3"]}, "o3", 10, []string{"o2", "o1"}, ""},
		{"from a time to another, of a customer in a status", betweenOfAda, "", 10, []string{"o3"}, ""},
		{"from a time finer than the clock of the ledger", order.Filter{CreatedFrom: finer}, "", 10, []string{"o6", "o5", "o4"}, ""},
		{"to a time finer than the clock of the ledger", order.Filter{CreatedTo: finer}, "", 10, []string{"o3", "o2", "o1"}, ""},
		{"from a time to itself", order.Filter{CreatedFrom: created["o3"], CreatedTo: created["o3"]}, "", 10, nil, ""},
	}
	for _, row := range rows {
		position := func(id string) order.Position {
			if id == "" {
				return order.Position{}
			}
			return order.Position{CreatedAt: created[id], ID: id}
		}
		got := books.page(t, row.filter, position(row.after), row.limit)
		want := page{Next: position(row.next)}
		for _, id := range row.want {
			want.Records = append(want.Records, books.get(t, id))
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}
