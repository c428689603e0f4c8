package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// acceptDone accepts so many orders, and completes them.
func (b *bundle) acceptDone(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		c := claim(fmt.Sprintf("done%d", i), "a")
		b.do(t, accept(sample(c.ID)), begin(c), settle(c, completed()))
	}
}

// TestForget checks that settled orders are forgotten, whole and not before their
// retention ends; that other orders stay, retried ones among them; and that the totals
// keep counting them.
func TestForget(t *testing.T) {
	b := open(t)
	b.acceptDone(t, 449)
	b.do(t, accept(sample("cancelled")), cancel("cancelled", ""))
	b.do(t, retried()...)
	b.do(t, accept(sample("waiting")))
	late := claim("late", "a")
	b.do(t, accept(sample("late")), begin(late))
	cutoff := b.rdb.Time(t.Context()).Val()
	b.do(t, settle(late, completed()))

	for _, want := range []int{201, 200, 49, 0} {
		if n, err := b.Books()[0].Forget(t.Context(), cutoff, 1); err != nil || n != want {
			t.Errorf("forgot %d, %v, want %d", n, err, want)
		}
	}
	for _, id := range []string{"waiting", "late", "o1"} {
		b.get(t, id)
	}
	if totals := b.totals(t); totals.ByStatus[order.StatusCompleted] != 450 || totals.ByStatus[order.StatusCancelled] != 1 {
		t.Errorf("totals are %+v", totals.ByStatus)
	}
	if n := b.rdb.ZCard(t.Context(), ledgertest.IndexKey("completed")).Val(); n != 1 {
		t.Errorf("the index of completed orders has %d entries", n)
	}
	settled := b.get(t, "late").ProcessedAt
	for _, row := range []struct {
		cutoff time.Time
		want   int
	}{{settled.Add(-time.Microsecond), 0}, {settled, 1}} {
		if n, err := b.Books()[0].Forget(t.Context(), row.cutoff, 1); err != nil || n != row.want {
			t.Errorf("forgot %d orders settled at %v by %v, %v, want %d", n, settled, row.cutoff, err, row.want)
		}
	}
}

// TestForgetReachesAll checks that many old orders in one status do not keep those of
// another from leaving, nor does one record that cannot be read.
func TestForgetReachesAll(t *testing.T) {
	b := open(t)
	b.acceptDone(t, 250)
	b.do(t, refuse(claim("failed", "a"))...)
	doc := b.rdb.HGet(t.Context(), ledgertest.RecordKey("done0"), "d").Val()
	b.rdb.HSet(t.Context(), ledgertest.RecordKey("done0"), "d", "{")
	now := b.rdb.Time(t.Context()).Val()
	n, err := b.Books()[0].Forget(t.Context(), now, 100)
	if err == nil || !strings.Contains(err.Error(), "order done0") || n != 200 {
		t.Errorf("forgot %d, %v", n, err)
	}
	if _, err := b.Get(t.Context(), "failed"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("the failed order is still there: %v", err)
	}
	b.rdb.HSet(t.Context(), ledgertest.RecordKey("done0"), "d", doc)
}

// TestForgetEvents checks that events leave the stream with the retention, if not before.
func TestForgetEvents(t *testing.T) {
	b := open(t)
	for n := range 1000 {
		b.do(t, accept(sample(fmt.Sprint("o", n))))
	}
	for _, row := range []struct {
		cutoff      time.Duration // from now
		least, most int64         // of 1,000 events
	}{{-time.Hour, 1000, 1000}, {time.Hour, 0, 100}} {
		if err := b.Books()[0].ForgetEvents(t.Context(), time.Now().Add(row.cutoff)); err != nil {
			t.Fatal(err)
		}
		if n := b.rdb.XLen(t.Context(), ledgertest.EventsKey).Val(); n < row.least || n > row.most {
			t.Errorf("%d of 1000 events are left with the cutoff %v from now", n, row.cutoff)
		}
	}
}
