package ledger_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// marks returns when each marked order is due.
func (b *bundle) marks(t *testing.T) map[string]time.Time {
	t.Helper()
	found := map[string]time.Time{}
	for _, z := range b.rdb.ZRangeWithScores(t.Context(), ledgertest.MarksKey, 0, -1).Val() {
		found[z.Member.(string)] = time.UnixMicro(int64(z.Score))
	}
	return found
}

// marked returns the ids of the marked orders.
func (b *bundle) marked(t *testing.T) string {
	t.Helper()
	return strings.Join(slices.Sorted(maps.Keys(b.marks(t))), " ")
}

// makeDue makes all marked orders due.
func (b *bundle) makeDue(t *testing.T) {
	t.Helper()
	for id := range b.marks(t) {
		b.rdb.ZAdd(t.Context(), ledgertest.MarksKey, redis.Z{Score: 1, Member: id})
	}
}

// due returns the histories that are due.
func (b *bundle) due(t *testing.T) []order.History {
	t.Helper()
	due, err := b.Due(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return due
}

// confirm tells the ledger that a batch is in the archive.
func (b *bundle) confirm(t *testing.T, histories []order.History, id string, puts int64) (markAll bool) {
	t.Helper()
	markAll, err := b.Archived(t.Context(), histories, order.ArchiveState{ID: id, Puts: puts})
	if err != nil {
		t.Fatal(err)
	}
	return markAll
}

// archiveAll confirms all that is marked.
func (b *bundle) archiveAll(t *testing.T) {
	t.Helper()
	b.makeDue(t)
	b.confirm(t, b.due(t), "archive", 1+time.Now().UnixMicro())
}

// TestEveryChangeIsMarked runs every script that updates orders: whatever it changes in a
// record is due for the archive, at once if the order is settled, else ten seconds later.
// Without an archive nothing is marked.
func TestEveryChangeIsMarked(t *testing.T) {
	t.Parallel()
	for _, update := range updates() {
		t.Run(update.name, func(t *testing.T) {
			b, _ := archived(t)
			plain := newBundle(t)
			plain.do(t, append(update.before, update.do)...)
			if got := plain.marked(t); got != "" {
				t.Errorf("without an archive, %q are marked", got)
			}
			b.do(t, update.before...)
			b.archiveAll(t)
			before := b.records(t)
			b.do(t, update.do)
			now, marks := b.rdb.Time(t.Context()).Val(), b.marks(t)
			for id, record := range b.records(t) {
				if record == before[id] {
					continue
				}
				at, late := marks[id], 10*time.Second
				if b.get(t, id).Status.Settled() {
					late = 0
				}
				if soonest := b.lastEvent(t, id).Add(late); at.After(now.Add(late)) || at.Before(soonest) {
					t.Errorf("order %s is due at %v, want %v after %v", id, at, late, now)
				}
				delete(marks, id)
			}
			if len(marks) > 0 {
				t.Errorf("marked without a change: %v", marks)
			}
		})
	}
}

// records returns the hash of each record, to compare.
func (b *bundle) records(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, key := range b.rdb.Keys(t.Context(), ledgertest.RecordKey("*")).Val() {
		found[strings.TrimPrefix(key, ledgertest.RecordKey(""))] = fmt.Sprint(b.rdb.HGetAll(t.Context(), key).Val())
	}
	return found
}

// lastEvent returns when an order last changed its status.
func (b *bundle) lastEvent(t *testing.T, id string) time.Time {
	t.Helper()
	events := b.events(t, id)
	return events[len(events)-1].At
}

// TestDue holds that orders come with their whole history, once they are due; that an
// order which changes while it is archived stays due, or is due again soon if it is not
// settled; and that neither an order that is gone nor one that cannot be read keeps the
// others out.
func TestDue(t *testing.T) {
	b, _ := archived(t)
	c, d := claim("done", "a"), claim("ending", "b")
	for _, id := range []string{"done", "ending", "holding", "gone", "corrupt"} {
		b.do(t, accept(sample(id)))
	}
	b.do(t, begin(c), settle(c, completed()), begin(d))
	due := b.due(t)
	if len(due) != 1 {
		t.Fatalf("%d orders are due at once, want the settled one", len(due))
	}
	if h := due[0]; h.Sequence != 3 || len(h.Events) != 3 || h.Record.Status != order.StatusCompleted || h.Record.CreatedAt != b.get(t, "done").CreatedAt {
		t.Errorf("its history is %+v", h)
	}
	b.makeDue(t)
	key, doc := ledgertest.RecordKey("corrupt"), b.rdb.HGet(t.Context(), ledgertest.RecordKey("corrupt"), "d").Val()
	b.rdb.HSet(t.Context(), key, "d", "{")
	b.rdb.Rename(t.Context(), ledgertest.RecordKey("gone"), "aside")
	all, err := b.Due(t.Context(), 1000)
	if !errors.Is(err, order.ErrUnreadable) || !strings.Contains(err.Error(), "corrupt") || len(all) != 3 {
		t.Errorf("due are %d orders, %v", len(all), err)
	}
	b.rdb.Rename(t.Context(), "aside", ledgertest.RecordKey("gone"))
	b.rdb.HSet(t.Context(), key, "d", doc)
	b.do(t, settle(d, completed()), hold("holding", 0))
	b.confirm(t, all, "archive", 1)
	if got := b.marked(t); got != "corrupt ending holding" {
		t.Errorf("still marked are %q", got)
	}
	if due := b.due(t); len(due) != 1 || due[0].Record.ID != "ending" {
		t.Errorf("due are %v", due)
	}
	b.makeDue(t)
	b.confirm(t, b.due(t), "archive", 2)
	if got := b.marked(t); got != "" {
		t.Errorf("at last marked are %q", got)
	}
}

// TestForgetArchived holds that an order leaves only after the archive has confirmed it as
// it is: neither while it is marked, nor while the archive lacks it or is away.
func TestForgetArchived(t *testing.T) {
	b, a := archived(t)
	for i, id := range []string{"marked", "lacking", "fine"} {
		c := claim(id, strconv.Itoa(i))
		b.do(t, accept(sample(id)), begin(c), settle(c, completed()))
		if i == 0 {
			continue
		}
		b.rdb.ZRem(t.Context(), ledgertest.MarksKey, id)
	}
	a.lacks["lacking"] = true
	forget := func(want int, wantErr error) {
		t.Helper()
		if n, err := b.Books()[0].Forget(t.Context(), time.Now().Add(time.Hour), 10); n != want || !errors.Is(err, wantErr) {
			t.Errorf("forgot %d, %v, want %d, %v", n, err, want, wantErr)
		}
	}
	a.err = order.ErrUnavailable
	forget(0, order.ErrUnavailable)
	a.err = nil
	forget(1, nil)
	if got := b.marked(t); got != "lacking marked" {
		t.Errorf("marked are %q", got)
	}
	a.lacks["lacking"] = false
	forget(0, nil)
	b.archiveAll(t)
	forget(2, nil)
}

// TestMarkAll holds that all orders are marked again, by pages and from where the last call
// ended, when the archive is a new one, another one or an older copy, and else none.
func TestMarkAll(t *testing.T) {
	b, _ := archived(t)
	const orders = 1100 // three pages
	b.acceptMany(t, orders)
	c := claim("many7", "a")
	b.do(t, begin(c), settle(c, completed()), hold("many8", 0))
	moment := float64(b.get(t, "many400").CreatedAt.UnixMicro())
	for i := range 250 { // of one moment, which is on two pages
		b.rdb.ZAdd(t.Context(), ledgertest.IndexKey("pending"), redis.Z{Score: moment, Member: fmt.Sprint("many", 400+i)})
	}
	some := b.due(t)
	for _, row := range []struct {
		name      string
		histories []order.History
		id        string
		puts      int64
		all       bool
	}{
		{"the first archive", nil, "a", 0, true},
		{"a batch", some, "a", 1, false},
		{"no news", nil, "a", 1, false},
		{"another process's batch", nil, "a", 5, false},
		{"it lost a batch", some, "a", 5, true},
		{"it lost many", nil, "a", 2, true},
		{"another one", nil, "b", 9, true},
	} {
		b.rdb.Del(t.Context(), ledgertest.MarksKey)
		if got := b.confirm(t, row.histories, row.id, row.puts); got != row.all {
			t.Errorf("%s: all are to be marked: %t", row.name, got)
		}
		want := 0
		if row.all {
			want = orders
		}
		for more := true; more; {
			var err error
			if more, err = ledger.New(b.server.Client()).MarkAll(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(b.marks(t)); got != want {
			t.Errorf("%s: %d orders are marked, want %d", row.name, got, want)
		}
		if b.confirm(t, nil, row.id, row.puts) {
			t.Errorf("%s: all are to be marked once more", row.name)
		}
	}
	b.rdb.FlushAll(t.Context()) // the index is not as it should be
}

// TestArchivedUntil holds that no change of a settled order before that time is missing in
// the archive, also while it is not known what is.
func TestArchivedUntil(t *testing.T) {
	b, _ := archived(t)
	until := func() time.Time {
		t.Helper()
		at, err := b.ArchivedUntil(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	c, d := claim("o1", "a"), claim("o2", "a")
	b.do(t, accept(sample("o1")), begin(c), settle(c, completed()), accept(sample("o2")), begin(d), settle(d, completed()))
	first := b.get(t, "o1")
	if got := until(); got != first.CreatedAt {
		t.Errorf("before the archive is known: %v, want %v", got, first.CreatedAt)
	}
	b.confirm(t, nil, "a", 1)
	for {
		more, err := b.MarkAll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
	}
	if got := until(); got != first.ProcessedAt {
		t.Errorf("it lacks both: %v, want %v", got, first.ProcessedAt)
	}
	b.confirm(t, b.due(t)[:1], "a", 2)
	if got := until(); got != b.get(t, "o2").ProcessedAt {
		t.Errorf("it lacks one: %v, want %v", got, b.get(t, "o2").ProcessedAt)
	}
	b.confirm(t, b.due(t), "a", 3)
	now := b.rdb.Time(t.Context()).Val()
	if got := until(); got.Before(now) {
		t.Errorf("it lacks none: %v, before %v", got, now)
	}
	if backlog, err := b.ArchiveBacklog(t.Context()); err != nil || backlog.Orders != 0 || backlog.Behind != 0 {
		t.Errorf("the backlog is %+v, %v", backlog, err)
	}
}
