package ledger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// TestRecordWithoutTimeline checks that an order which was accepted before records had a
// timeline can take every way.
func TestRecordWithoutTimeline(t *testing.T) {
	t.Parallel()
	a, b := claim("o1", "a"), claim("o1", "b")
	rows := []struct {
		name  string
		since []step
		after order.Record
	}{
		{"begin", []step{begin(a)}, record(order.StatusProcessing, attempt(1, "a", "", ""))},
		{
			"complete",
			[]step{begin(a), fail(a), begin(b), settle(b, completed())},
			record(order.StatusCompleted, attempt(1, "a", "shop answered 500", "busy"), attempt(2, "b", "", "thanks")),
		},
		{"cancel", []step{cancel("o1", "no need")}, withReason(record(order.StatusCancelled), "no need")},
		{
			"retry",
			[]step{begin(a), settle(a, refused()), retry("o1", "r1")},
			withError(record(order.StatusPending, attempt(1, "a", "refused", "")), "refused"),
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Start(t).Client()
			books := &bundle{Ledger: ledger.New(rdb), rdb: rdb}
			books.do(t, accept(sample("o1")))
			rdb.HDel(t.Context(), ledgertest.RecordKey("o1"), "t")
			if events := books.events(t, "o1"); len(events) != 0 {
				t.Errorf("it has events %+v", events)
			}
			books.do(t, row.since...)
			if diff := cmp.Diff(row.after, books.get(t, "o1"), ignoreTimes); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(books.streamed(t, "o1")[1:], books.events(t, "o1")); diff != "" {
				t.Errorf("events since then (-stream +got):\n%s", diff)
			}
		})
	}
}
