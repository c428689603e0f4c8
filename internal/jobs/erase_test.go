package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/jobs"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

const (
	name = "Ada Lovelace"
	note = "Ring at Lovelace's."
)

// personal are options that name her everywhere.
func personal(s *order.Submission) {
	s.Customer, s.Address, s.Notes = name, "12 St James's Square, Lovelace", note
	s.Metadata = map[string]string{"gift": "for Lovelace"}
}

// keeping opens an archive, and returns a ledger that marks orders for it.
func (b *bundle) keeping() (*archive.Archive, *ledger.Ledger) {
	b.t.Helper()
	kept, err := archive.Open(b.t.Context(), "sqlite://"+b.t.TempDir()+"/orders.db")
	queuetest.Must(b.t, err)
	b.t.Cleanup(func() { _ = kept.Close() })
	return kept, ledger.NewWith(b.RDB, ledger.Config{Archive: kept})
}

// archive puts what is due into the archive, as the archiver does.
func (b *bundle) archive(kept *archive.Archive, books *ledger.Ledger) {
	b.t.Helper()
	for {
		due, err := books.Due(b.t.Context(), 500)
		queuetest.Must(b.t, err)
		if len(due) == 0 {
			return
		}
		queuetest.Must(b.t, kept.Put(b.t.Context(), due))
		state, err := kept.State(b.t.Context())
		queuetest.Must(b.t, err)
		_, err = books.Archived(b.t.Context(), due, state)
		queuetest.Must(b.t, err)
	}
}

// nowhere checks that no key and no value of Redis has a word.
func (b *bundle) nowhere(word string) {
	b.t.Helper()
	ctx := b.t.Context()
	keys := b.RDB.Scan(ctx, 0, "*", 1000).Iterator()
	for keys.Next(ctx) {
		key := keys.Val()
		var value any
		switch b.RDB.Type(ctx, key).Val() {
		case "hash":
			value = b.RDB.HGetAll(ctx, key).Val()
		case "zset":
			value = b.RDB.ZRange(ctx, key, 0, -1).Val()
		case "set":
			value = b.RDB.SMembers(ctx, key).Val()
		case "list":
			value = b.RDB.LRange(ctx, key, 0, -1).Val()
		case "stream":
			value = b.RDB.XRange(ctx, key, "-", "+").Val()
		default:
			value = b.RDB.Get(ctx, key).Val()
		}
		if text := key + " " + fmt.Sprint(value); strings.Contains(text, word) {
			b.t.Errorf("%q is in %.300s", word, text)
		}
	}
}

// TestErase erases a customer whose orders are in Redis, in both places and in the archive
// alone, while processes die and replies are lost. Nothing names her afterwards, also not
// when a late batch arrives at the archive; her unsettled orders and those of others stay,
// and her submissions are still known.
func TestErase(t *testing.T) {
	b := open(t)
	kept, books := b.keeping()
	b.books = books
	gone := b.accept("gone", 20, personal)
	b.settle(gone, order.StatusCompleted)
	b.archive(kept, books)
	if n, err := books.Books()[0].Forget(t.Context(), time.Now().Add(time.Hour), 100); n != 20 || err != nil {
		t.Fatalf("%d orders are forgotten, %v", n, err)
	}
	failed := b.failed("failed", 30, personal)
	completed := b.accept("completed", 250, personal)
	b.settle(completed, order.StatusCompleted)
	b.archive(kept, books)
	others := b.failed("other", 5, ordertest.WithCustomer("Bob"))
	late, err := books.Due(t.Context(), 500)
	queuetest.Must(t, err)
	jobsOfHer := b.create(order.Job{ID: "earlier", Action: order.JobRetry, Filter: order.Filter{Customer: name}})
	b.carryOut(jobsOfHer.ID)
	b.settle(failed, order.StatusCompleted)
	inFlight, err := books.Due(t.Context(), 500)
	queuetest.Must(t, err)

	j := b.create(order.Job{Action: order.JobErase, Filter: order.Filter{Customer: name}, Reason: "personal data erased"})
	for round := 1; b.job(j.ID).State != order.JobDone; round++ {
		ctx, die := context.WithCancel(t.Context())
		d := &death{at: 1 + round%29, after: round%2 == 0, die: die}
		if round%3 == 0 {
			b.Breaker.BreakNth(1+round%11, redistest.Faults()[round/3%2], redistest.Script("orders:"))
		}
		r := b.runner(b.Broken, plenty, d)
		r.Archive = kept
		r.CarryOut(ctx, j.ID)
		die()
	}
	b.want(j.ID, counts{order.JobDone, 300, 300, 0, 0, nil})
	queuetest.Must(t, kept.Put(t.Context(), append(late, inFlight...)))
	b.archive(kept, books)
	b.nowhere("Lovelace")
	found, _, err := kept.Search(t.Context(), order.Filter{Customer: name}, order.Position{}, 10)
	if len(found) != 0 || err != nil {
		t.Errorf("the archive still has %v, %v", found, err)
	}
	var erased []string
	for after := (order.Position{}); ; {
		page, next, err := kept.Search(t.Context(), order.Filter{Customer: order.ErasedText}, after, 100)
		queuetest.Must(t, err)
		for _, rec := range page {
			erased = append(erased, rec.ID)
			if text := fmt.Sprintf("%+v", rec); strings.Contains(text, "Lovelace") {
				t.Errorf("the archive has %s", text)
			}
		}
		if after = next; next.IsZero() {
			break
		}
	}
	queuetest.CheckSame(t, "erased in the archive", slices.Concat(gone, failed, completed), erased)
	for _, id := range others {
		if rec, err := books.Get(t.Context(), id); err != nil || rec.Customer != "Bob" {
			t.Errorf("%s is %+v, %v", id, rec, err)
		}
	}
	again, err := books.AcceptAll(t.Context(), []order.Entry{{
		Order: ordertest.Order(t, personal, ordertest.WithID(completed[0])), Queue: order.QueueDefault,
	}})
	if err != nil || again[0].IsNew || again[0].Err != nil || again[0].Record.Customer != order.ErasedText {
		t.Errorf("the same submission is answered %+v, %v", again, err)
	}
	entries, _, err := books.AuditEntries(t.Context(), order.AuditFilter{Action: order.AuditErase}, "", 10)
	if len(entries) != 1 || entries[0].Target == "" || err != nil {
		t.Errorf("the audit has %+v, %v", entries, err)
	}
	events, err := books.Events(t.Context(), completed[0])
	queuetest.Must(t, err)
	if last := events[len(events)-1]; last.Status != order.StatusCompleted || last.Actor != "ops" || last.Reason != "job job-1: personal data erased" {
		t.Errorf("the timeline ends with %+v", last)
	}
}

// TestEraseUnsettled leaves orders alone that are not settled, and says so, and waits for
// other jobs about the customer.
func TestEraseUnsettled(t *testing.T) {
	b := open(t)
	b.accept("pending", 5, personal)
	b.failed("failed", 3, personal)
	b.create(order.Job{ID: "other", Action: order.JobRetry, Filter: order.Filter{Customer: name}})
	_, err := b.books.ChangeJob(t.Context(), "other", order.JobPaused, order.Intervention{Actor: "ops"})
	queuetest.Must(t, err)
	j := b.create(order.Job{Action: order.JobErase, Filter: order.Filter{Customer: name}})
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	b.runner(b.RDB, plenty, nil).CarryOut(ctx, j.ID)
	b.want(j.ID, counts{order.JobRunning, 8, 3, 5, 0, nil})
	_, err = b.books.ChangeJob(t.Context(), "other", order.JobStopped, order.Intervention{Actor: "ops"})
	queuetest.Must(t, err)
	b.carryOut(j.ID)
	b.want(j.ID, counts{order.JobDone, 8, 3, 5, 0, nil})
	if rec, err := b.books.Get(t.Context(), "pending000"); err != nil || rec.Customer != name {
		t.Errorf("an order that is not settled is %+v, %v", rec, err)
	}
	if j := b.job("other"); j.Filter.Customer != order.ErasedText {
		t.Errorf("the other job is %+v", j)
	}
}

// brokenArchive never answers.
type brokenArchive struct{ jobs.Archive }

func (brokenArchive) Search(context.Context, order.Filter, order.Position, int) ([]order.Record, order.Position, error) {
	return nil, order.Position{}, fmt.Errorf("search: %w", order.ErrUnavailable)
}

// TestEraseWaitsForTheArchive changes nothing while the archive cannot be asked.
func TestEraseWaitsForTheArchive(t *testing.T) {
	b := open(t)
	b.failed("failed", 3, personal)
	j := b.create(order.Job{Action: order.JobErase, Filter: order.Filter{Customer: name}})
	r := b.runner(b.RDB, plenty, nil)
	r.Archive = brokenArchive{}
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	r.CarryOut(ctx, j.ID)
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Error("it gave up")
	}
	b.want(j.ID, counts{order.JobCounting, 0, 0, 0, 0, nil})
	b.carryOut(j.ID)
	b.want(j.ID, counts{order.JobDone, 3, 3, 0, 0, nil})
}
