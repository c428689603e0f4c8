package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

func at(o order.Order, processAt time.Time) order.Order {
	o.ProcessAt = processAt.UTC().Truncate(time.Microsecond)
	return o
}

// TestAcceptForATime checks that an order waits for its time if that is still to come, and
// that the time is part of its content.
func TestAcceptForATime(t *testing.T) {
	t.Parallel()
	now := time.Now()
	soon, past := at(sample("o1"), now.Add(time.Hour)), at(sample("o1"), now.Add(-time.Hour))
	later := at(sample("o1"), soon.ProcessAt.Add(time.Microsecond))
	waits := order.Record{Order: soon, Status: order.StatusScheduled}
	pending := order.Record{Order: past, Status: order.StatusPending}
	begun := processing(attempt(1, "a", "", ""))
	begun.Order = soon
	rows := []struct {
		name   string
		before []step
		accept order.Order
		isNew  bool
		err    error
		after  order.Record
	}{
		{"its time is to come", nil, soon, true, nil, waits},
		{"its time has passed", nil, past, true, nil, pending},
		{"again before its time", []step{accept(soon)}, soon, false, nil, waits},
		{"again after its time", []step{accept(past)}, past, false, nil, pending},
		{
			"again when it is cancelled",
			[]step{accept(soon), cancel("o1", "no need")},
			soon, false, nil,
			order.Record{Order: soon, Status: order.StatusCancelled, CancelReason: "no need"},
		},
		{"again when it has begun", []step{accept(soon), begin(claim("o1", "a"))}, soon, false, nil, begun},
		{"with another time", []step{accept(soon)}, later, false, order.ErrConflict, waits},
		{"with no time", []step{accept(soon)}, sample("o1"), false, order.ErrConflict, waits},
		{
			"with a time, after none", accepted(), soon, false, order.ErrConflict,
			order.Record{Order: sample("o1"), Status: order.StatusPending},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			books := open(t)
			books.do(t, row.before...)
			found := books.dump(t)
			rec, isNew, err := ledgertest.Accept(t.Context(), books, row.accept, order.QueueDefault)
			if isNew != row.isNew || !errors.Is(err, row.err) {
				t.Errorf("new is %v, error %v, want %v, %v", isNew, err, row.isNew, row.err)
			}
			stored := books.get(t, "o1")
			if diff := cmp.Diff(stored, rec); err == nil && diff != "" {
				t.Errorf("the answer differs from the record (-record +answer):\n%s", diff)
			}
			row.after.Queue = order.QueueDefault
			if diff := cmp.Diff(row.after, stored, ignoreTimes); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if !stored.ProcessAt.Equal(row.after.ProcessAt) {
				t.Errorf("its time is %v, want %v", stored.ProcessAt, row.after.ProcessAt)
			}
			if diff := cmp.Diff(found, books.dump(t)); !row.isNew && diff != "" {
				t.Errorf("it was not new and changed the books (-before +after):\n%s", diff)
			}
		})
	}
}

// TestDurationsOfAnOrder checks that durations begin when the order could first be worked:
// at its acceptance, its own time or its last retry.
func TestDurationsOfAnOrder(t *testing.T) {
	t.Parallel()
	a, b := claim("o1", "a"), claim("o1", "b")
	accepted := func(rec order.Record) time.Time { return rec.CreatedAt }
	earlier := func(rec order.Record) time.Time { return rec.CreatedAt.Add(-10 * time.Second) }
	rows := []struct {
		name  string
		order order.Order
		due   func(rec order.Record) time.Time // written into the record; zero leaves what it has
		since func(rec order.Record) time.Time
	}{
		{"at once", sample("o1"), nil, accepted},
		{"its time was before its acceptance", at(sample("o1"), time.Now().Add(-time.Hour)), nil, accepted},
		{"its time was a while ago", scheduled(sample("o1")), earlier, earlier},
		{"its time is to come", scheduled(sample("o1")), nil, func(rec order.Record) time.Time { return rec.ProcessAt }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			books := open(t)
			books.do(t, accept(row.order))
			if row.due != nil {
				due := row.due(books.get(t, "o1")).UnixMicro()
				books.rdb.HSet(t.Context(), ledgertest.RecordKey("o1"), "u", due)
			}
			books.do(t, begin(a), fail(a), begin(b), settle(b, refused()))
			rec := books.get(t, "o1")
			since := row.since(rec)
			wait := max(0, rec.Attempts[0].StartedAt.Sub(since))
			whole := max(0, rec.ProcessedAt.Sub(since))
			books.checkDurations(t, 1, wait, whole)

			c := claim("o1", "c")
			books.do(t, retry("o1", "r1"), begin(c), settle(c, completed()))
			rec = books.get(t, "o1")
			retried := books.events(t, "o1")[5].At
			wait += rec.Attempts[2].StartedAt.Sub(retried)
			whole += rec.ProcessedAt.Sub(retried)
			books.checkDurations(t, 2, wait, whole)
		})
	}
}

func (b *bundle) checkDurations(t *testing.T, runs int64, wait, whole time.Duration) {
	t.Helper()
	totals := b.totals(t)
	queued, ended := totals.QueueWait[order.QueueDefault], totals.EndToEnd[order.QueueDefault]
	if queued.Count() != runs || queued.Sum != wait {
		t.Errorf("%d waits of %v are counted, want %d of %v", queued.Count(), queued.Sum, runs, wait)
	}
	if ended.Count() != runs || ended.Sum != whole {
		t.Errorf("%d outcomes after %v are counted, want %d after %v", ended.Count(), ended.Sum, runs, whole)
	}
}
