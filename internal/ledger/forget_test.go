package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// TestForget holds that retention drops settled orders only, whole, and late
// enough, and that totals keep them.
func TestForget(t *testing.T) {
	books := open(t)
	for i := range 450 {
		id := fmt.Sprintf("done%d", i)
		books.do(t, accept(sample(id)), begin(claim(id, "a")), settle(claim(id, "a"), completed()))
	}
	books.do(t, accept(sample("waiting")))
	books.do(t, accept(sample("late")), begin(claim("late", "a")))
	cutoff := books.rdb.Time(t.Context()).Val()
	books.do(t, settle(claim("late", "a"), completed()))

	for _, want := range []int{200, 200, 50, 0} {
		if n, err := books.Forget(t.Context(), cutoff, 1); err != nil || n != want {
			t.Errorf("forgot %d, %v, want %d", n, err, want)
		}
	}
	for _, id := range []string{"waiting", "late"} {
		books.get(t, id)
	}
	totals, err := books.Totals(t.Context())
	if err != nil || totals.ByStatus[order.StatusCompleted] != 451 || totals.Drift() != 0 {
		t.Errorf("totals are %+v, %v", totals.ByStatus, err)
	}
	if n := books.rdb.ZCard(t.Context(), ledgertest.IndexKey("completed")).Val(); n != 1 {
		t.Errorf("the index of completed orders holds %d", n)
	}
}

// TestForgetReachesAll holds that one status with many old orders keeps no other
// from leaving, nor one record that cannot be read.
func TestForgetReachesAll(t *testing.T) {
	books := open(t)
	for i := range 250 {
		id := fmt.Sprintf("done%d", i)
		books.do(t, accept(sample(id)), begin(claim(id, "a")), settle(claim(id, "a"), completed()))
	}
	c := claim("failed", "a")
	books.do(t, accept(sample("failed")), begin(c), settle(c, order.Outcome{Status: order.StatusFailed, Error: "refused"}))
	doc := books.rdb.HGet(t.Context(), ledgertest.RecordKey("done0"), "d").Val()
	books.rdb.HSet(t.Context(), ledgertest.RecordKey("done0"), "d", "{")
	now := books.rdb.Time(t.Context()).Val()
	n, err := books.Forget(t.Context(), now, 100)
	if err == nil || !strings.Contains(err.Error(), "order done0") || n != 200 {
		t.Errorf("forgot %d, %v", n, err)
	}
	if _, err := books.Get(t.Context(), "failed"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("the failed order is still there: %v", err)
	}
	books.rdb.HSet(t.Context(), ledgertest.RecordKey("done0"), "d", doc)
}
