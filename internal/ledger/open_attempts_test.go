package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// TestOpenAttempts lists what is worked, also without a record or an attempt.
func TestOpenAttempts(t *testing.T) {
	b := open(t)
	if open, err := b.OpenAttempts(t.Context(), 10); len(open) > 0 || err != nil {
		t.Errorf("without orders: %v, %v", open, err)
	}
	again, high, done := claim("again", "a"), claim("high", "h"), claim("done", "d")
	high.Handling = order.HandlingPriority
	second := claim("again", "b")
	b.do(t, accept(sample("again")), begin(again), begin(second), accept(sample("high")), begin(high),
		accept(sample("done")), begin(done), settle(done, completed()), accept(sample("odd")), begin(claim("odd", "o")), accept(sample("waits")))
	line := b.rdb.HGet(t.Context(), ledgertest.RecordKey("odd"), "a1").Val()
	b.rdb.HDel(t.Context(), ledgertest.RecordKey("odd"), "a1")
	for limit, want := range map[int][]ledger.OpenAttempt{
		10: {{OrderID: "high", Number: 1, Worker: "worker-h"}, {OrderID: "again", Number: 2, Worker: "worker-b"}},
		1:  {{OrderID: "high", Number: 1, Worker: "worker-h"}},
	} {
		got, err := b.OpenAttempts(t.Context(), limit)
		must(t, err)
		for i := range got {
			if rec := b.get(t, got[i].OrderID); !got[i].StartedAt.Equal(rec.Attempts[len(rec.Attempts)-1].StartedAt) {
				t.Errorf("attempt %+v began at another time", got[i])
			}
			got[i].StartedAt = time.Time{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at most %d (-want +got):\n%s", limit, diff)
		}
	}
	b.rdb.HSet(t.Context(), ledgertest.RecordKey("odd"), "a1", line)
}
