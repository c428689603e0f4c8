package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
)

const severalBooks = 8

// spread returns several books, with so many orders of one customer.
func spread(t *testing.T, orders int) *bundle {
	t.Helper()
	b := open(t)
	b.Ledger = ledger.NewWith(b.rdb, ledger.Config{Books: severalBooks})
	all := make([]order.Order, orders)
	for n := range all {
		all[n] = sample(fmt.Sprint("o", n))
	}
	b.do(t, acceptAll(all...))
	return b
}

// TestFix records the number of books once. Orders from before are in one book.
func TestFix(t *testing.T) {
	b := open(t)
	over := func(books int) error {
		return ledger.NewWith(b.rdb, ledger.Config{Books: books}).Fix(t.Context())
	}
	must(t, over(16))
	must(t, over(16))
	var wrong *ledger.BooksError
	if err := over(8); !errors.As(err, &wrong) || wrong.There != 16 || wrong.Configured != 8 {
		t.Errorf("another number answered %v", err)
	}
	if n, err := ledger.Count(t.Context(), b.rdb); n != 16 || err != nil {
		t.Errorf("%d books are counted, %v", n, err)
	}
	must(t, b.rdb.FlushAll(t.Context()).Err())
	b.do(t, accept(sample("before")))
	if err := over(16); !errors.As(err, &wrong) || wrong.There != 1 {
		t.Errorf("several books beside an order of one answered %v", err)
	}
	must(t, over(1))
	if err := over(16); !errors.As(err, &wrong) {
		t.Errorf("several books after one answered %v", err)
	}
}

// TestSpread keeps each order in the book of its id, and adds all books up.
func TestSpread(t *testing.T) {
	const orders = 100
	b := spread(t, orders)
	for n := range orders {
		id := fmt.Sprint("o", n)
		key := fmt.Sprintf("orders:{b%d}:o:%s", order.BookOf(id, severalBooks), id)
		if b.rdb.Exists(t.Context(), key).Val() != 1 {
			t.Errorf("order %s is not at %s", id, key)
		}
	}
	b.do(t, begin(claim("o1", "a")), settle(claim("o1", "a"), completed()), cancel("o2", ""))
	totals, err := b.Totals(t.Context())
	must(t, err)
	accepted, unsettled := int64(0), int64(0)
	for _, book := range totals.Books {
		accepted += book.Accepted
		unsettled += book.Unsettled
	}
	if totals.Accepted != orders || accepted != orders || unsettled != orders-2 || totals.Drift() != 0 || len(totals.Books) != severalBooks {
		t.Errorf("the totals are %+v", totals)
	}
	facts, err := b.CustomerFacts(t.Context(), sample("new"), time.Now().Add(time.Minute), "USD")
	if want := (order.CustomerFacts{Orders24h: orders + 1, Amount24h: (orders + 1) * 1250}); facts != want || err != nil {
		t.Errorf("the customer has %+v, %v, want %+v", facts, err, want)
	}
	must(t, b.rdb.HIncrBy(t.Context(), "orders:{b3}:c", "g:pending", 1).Err())
	must(t, b.rdb.HIncrBy(t.Context(), "orders:{b4}:c", "g:pending", -1).Err())
	if totals, err = b.Totals(t.Context()); totals.Drift() != 4 || totals.Books[3].Drift != 2 || totals.Books[4].Drift != 2 || err != nil {
		t.Errorf("the drift of two books is %d: %+v, %v", totals.Drift(), totals.Books, err)
	}
	must(t, b.rdb.HIncrBy(t.Context(), "orders:{b3}:c", "g:pending", -1).Err())
	must(t, b.rdb.HIncrBy(t.Context(), "orders:{b4}:c", "g:pending", 1).Err())
}

// TestRulesOfBooks has the versions in force in every book, for when the first one is away.
func TestRulesOfBooks(t *testing.T) {
	b := spread(t, 1)
	b.do(t, push("v1"), push("v2"), activate("v1"), shadow("v2"))
	want := order.RulesInForce{Active: "v1", Shadow: "v2"}
	if in, err := b.RulesInForce(t.Context()); in != want || err != nil {
		t.Errorf("in force are %+v, %v", in, err)
	}
	must(t, b.rdb.Rename(t.Context(), "orders:{b0}:r", "orders:{b0}:f").Err())
	must(t, b.rdb.Set(t.Context(), "orders:{b0}:r", "no hash", 0).Err())
	if in, err := b.RulesInForce(t.Context()); in != want || err != nil {
		t.Errorf("without the first book, in force are %+v, %v", in, err)
	}
	must(t, b.rdb.Rename(t.Context(), "orders:{b0}:f", "orders:{b0}:r").Err())
	b.do(t, activate("v2"))
	for n := range severalBooks {
		got := b.rdb.HMGet(t.Context(), fmt.Sprintf("orders:{b%d}:r", n), "active", "shadow").Val()
		if got[0] != "v2" || got[1] != nil {
			t.Errorf("book %d has %v in force", n, got)
		}
	}
	if entries, _, err := b.AuditEntries(t.Context(), order.AuditFilter{Action: order.AuditActivate}, "", 10); len(entries) != 2 || err != nil {
		t.Errorf("the audit has %v, %v", entries, err)
	}
}

// TestPartsOfAJob makes the parts of a job that are missing, with its bounds and its state,
// and changes no order for a job that is not there.
func TestPartsOfAJob(t *testing.T) {
	b := spread(t, 1)
	part := "orders:{b3}:j:j1"
	for _, to := range []order.JobState{order.JobPaused, order.JobRunning, order.JobPaused} {
		if to == order.JobPaused {
			b.do(t, running("j1", order.JobCancel, 1)...)
		}
		must(t, b.rdb.Del(t.Context(), part).Err())
		b.do(t, changeJob("j1", to))
		got := b.rdb.HMGet(t.Context(), part, "state", "limit", "canary", "stop_after", "action").Val()
		if want := []any{string(to), "5", "3", "4", "cancel"}; !slices.Equal(got, want) {
			t.Errorf("a part of a job that is %s has %v", to, got)
		}
	}
	by := order.Job{ID: "gone", Actor: "ops"}.Intervention(0)
	if _, err := b.Cancel(t.Context(), "o0", by); !errors.Is(err, order.ErrNotItsTurn) {
		t.Errorf("for a job that is not there, the cancel answered %v", err)
	}
	if n := len(b.rdb.Keys(t.Context(), "*:j:gone").Val()); n != 0 {
		t.Errorf("%d parts of it were left", n)
	}
}

// TestListOfBooks lists every order of all books once, the newest first, while orders move.
func TestListOfBooks(t *testing.T) {
	const orders = 150
	b := spread(t, orders)
	for _, limit := range []int{1, 7, 40, orders, orders + 1} {
		var listed []order.Record
		var after order.Position
		for pages := 0; pages == 0 || !after.IsZero(); pages++ {
			records, next, err := b.List(t.Context(), order.Filter{}, after, limit)
			must(t, err)
			if len(records) > limit || pages > orders {
				t.Fatalf("page %d has %d orders, of at most %d", pages, len(records), limit)
			}
			listed, after = append(listed, records...), next
			if pages < 20 {
				b.do(t, cancel(fmt.Sprint("o", (limit+pages*3)%orders), ""))
			}
		}
		ids := make([]string, len(listed))
		for i, rec := range listed {
			ids[i] = rec.ID
		}
		sorted := slices.SortedFunc(slices.Values(listed), func(a, b order.Record) int {
			return order.Position{CreatedAt: a.CreatedAt, ID: a.ID}.Compare(order.Position{CreatedAt: b.CreatedAt, ID: b.ID})
		})
		for i, rec := range sorted {
			if rec.ID != ids[i] {
				t.Errorf("with pages of %d, %s is at the place of %s", limit, ids[i], rec.ID)
			}
		}
		slices.Sort(ids)
		if len(ids) != orders || len(slices.Compact(ids)) != orders {
			t.Errorf("with pages of %d, %d orders are listed", limit, len(ids))
		}
	}
}

// TestAuditOfBooks lists what was done in each book once, the newest first.
func TestAuditOfBooks(t *testing.T) {
	const orders = 60
	b := spread(t, orders)
	for n := range orders {
		b.do(t, cancel(fmt.Sprint("o", n), ""))
	}
	for _, limit := range []int{1, 7, orders, orders + 1} {
		var listed []order.AuditEntry
		next := ""
		for pages := 0; pages == 0 || next != ""; pages++ {
			var entries []order.AuditEntry
			var err error
			entries, next, err = b.AuditEntries(t.Context(), order.AuditFilter{}, next, limit)
			must(t, err)
			if len(entries) > limit || pages > orders {
				t.Fatalf("page %d has %d entries, of at most %d", pages, len(entries), limit)
			}
			listed = append(listed, entries...)
		}
		targets := map[string]bool{}
		for i, e := range listed {
			targets[e.Target] = true
			if i > 0 && e.At.After(listed[i-1].At) {
				t.Errorf("%s follows an entry that is older", e.ID)
			}
		}
		if len(listed) != orders || len(targets) != orders {
			t.Errorf("with pages of %d, %d entries about %d orders are listed", limit, len(listed), len(targets))
		}
	}
}

// TestArchiveOfBooks archives the orders of all books.
func TestArchiveOfBooks(t *testing.T) {
	const orders = 40
	b, _ := archived(t)
	b.Ledger = ledger.NewWith(b.rdb, ledger.Config{Books: severalBooks, Archive: &fakeArchive{lacks: map[string]bool{}}})
	for n := range orders {
		b.do(t, accept(sample(fmt.Sprint("o", n))), cancel(fmt.Sprint("o", n), ""))
	}
	if backlog, err := b.ArchiveBacklog(t.Context()); backlog.Orders != orders || err != nil {
		t.Errorf("the archive lacks %+v, %v", backlog, err)
	}
	found := map[string]bool{}
	state := order.ArchiveState{ID: "archive"}
	for range orders {
		due, err := b.Due(t.Context(), 10)
		must(t, err)
		for _, h := range due {
			found[h.Record.ID] = true
		}
		state.Puts++
		for more := true; more; { // a new archive has all orders marked
			if more, err = b.Archived(t.Context(), due, state); err != nil {
				t.Fatal(err)
			}
			if more {
				_, err = b.MarkAll(t.Context())
				must(t, err)
			}
			due = nil
		}
	}
	if backlog, err := b.ArchiveBacklog(t.Context()); len(found) != orders || backlog.Orders != 0 || err != nil {
		t.Errorf("%d orders were due, and the archive lacks %+v, %v", len(found), backlog, err)
	}
}
