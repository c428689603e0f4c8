package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// shelf is a ledger of orders in memory, newest first, that can be slow and can
// break. The tests that use it run in a bubble where time is fake.
type shelf struct {
	intake.Ledger // the rest
	orders        []order.Record
	retried       []string // in turn
	onList        func(n int) error
	onRetry       func(n int) error
	lists, tries  int
}

// shelve is n failed orders, each of which failed because of one of the reasons in
// turn.
func shelve(n int, reasons ...string) *shelf {
	s := &shelf{}
	for i := range n {
		s.orders = append(s.orders, order.Record{
			Order: order.Order{ID: fmt.Sprintf("o%d", i)}, Status: order.StatusFailed, Queue: order.QueueDefault,
			CreatedAt: time.UnixMicro(int64(2_000_000 - i)).UTC(), Error: reasons[i%len(reasons)],
		})
	}
	return s
}

func (s *shelf) List(
	_ context.Context, f order.Filter, after order.Position, limit int,
) (page []order.Record, next order.Position, err error) {
	s.lists++
	if s.onList != nil {
		if err := s.onList(s.lists); err != nil {
			return nil, order.Position{}, err
		}
	}
	for i := range s.orders {
		rec := &s.orders[i]
		passed := !after.IsZero() && !rec.CreatedAt.Before(after.CreatedAt)
		if passed || rec.Status != f.Status {
			continue
		}
		if len(page) == limit {
			return page, placeOf(page[limit-1]), nil
		}
		page = append(page, *rec)
	}
	return page, order.Position{}, nil
}

func (s *shelf) Retry(_ context.Context, id, token string) (order.Record, error) {
	s.tries++
	if s.onRetry != nil {
		if err := s.onRetry(s.tries); err != nil {
			return order.Record{}, err
		}
	}
	i, err := strconv.Atoi(strings.TrimPrefix(id, "o"))
	if err != nil {
		return order.Record{}, err
	}
	if rec := &s.orders[i]; rec.Status != order.StatusFailed || token == "" {
		return order.Record{}, fmt.Errorf("retry order %s: %w", id, &order.StatusError{Status: rec.Status})
	}
	s.orders[i].Status = order.StatusPending
	s.retried = append(s.retried, id)
	return s.orders[i], nil
}

func placeOf(rec order.Record) order.Position {
	return order.Position{CreatedAt: rec.CreatedAt, ID: rec.ID}
}

// place is where a walk goes on that has seen n orders, the start for none.
func (s *shelf) place(n int) order.Position {
	if n == 0 {
		return order.Position{}
	}
	return placeOf(s.orders[n-1])
}

// operate runs a test in a bubble with an intake that has room for so many.
func operate(t *testing.T, s *shelf, room int, test func(t *testing.T, in *intake.Intake, q *tasks)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &tasks{}
		test(t, intake.New(s, q, shop, intake.NewAdmission(nil, nil, room), slog.New(slog.DiscardHandler)), q)
	})
}

const plenty = 1_000_000

func failed(errorContains string) intake.RetryFilter {
	return intake.RetryFilter{Filter: order.Filter{Status: order.StatusFailed}, ErrorContains: errorContains}
}

// TestRetryAllLimit holds that a limit counts the orders that match, that a walk
// goes on behind the last one it has seen, and that a dry one changes nothing.
func TestRetryAllLimit(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name    string
		orders  int
		reasons []string
		part    string
		limit   int
		count   int
		seen    int // where the next walk goes on; 0 when nothing is left
	}{
		{"nothing there", 0, []string{"busy"}, "", 100, 0, 0},
		{"all", 450, []string{"busy"}, "", 1000, 450, 0},
		{"one", 450, []string{"busy"}, "", 1, 1, 1},
		{"in the middle of a page", 450, []string{"busy"}, "", 150, 150, 150},
		{"at the end of a page", 450, []string{"busy"}, "", 200, 200, 200},
		{"after the end of a page", 450, []string{"busy"}, "", 201, 201, 201},
		{"at the end of the second page", 450, []string{"busy"}, "", 400, 400, 400},
		{"one before the last", 450, []string{"busy"}, "", 449, 449, 449},
		{"at the last", 450, []string{"busy"}, "", 450, 450, 0},
		{"at the last, which ends a page", 400, []string{"busy"}, "", 400, 400, 0},
		{"every third", 450, []string{"busy", "odd", "away"}, "busy", 1000, 150, 0},
		{"every third, in the middle", 450, []string{"odd", "busy", "away"}, "busy", 50, 50, 149},
		{"every third, at the end of a page", 450, []string{"odd", "busy", "away"}, "busy", 67, 67, 200},
		{"at the last that matches", 450, []string{"busy", "odd", "away"}, "busy", 150, 150, 448},
		{"none matches", 450, []string{"busy"}, "Busy", 10, 0, 0},
		{"a part of the error", 3, []string{"3 attempts used up: answered 503", "answered 500"}, "answered 50", 9, 3, 0},
		{"a longer part", 3, []string{"3 attempts used up: answered 503", "answered 500"}, "up: answered", 9, 2, 0},
	}
	for _, row := range rows {
		for _, dry := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, dry %t", row.name, dry), func(t *testing.T) {
				s := shelve(row.orders, row.reasons...)
				operate(t, s, plenty, func(t *testing.T, in *intake.Intake, q *tasks) {
					t.Helper()
					want := intake.RetryReport{Count: row.count, Next: s.place(row.seen)}
					if !dry {
						want.Retried = row.count
					}
					got, err := in.RetryAll(t.Context(), failed(row.part), order.Position{}, row.limit, dry)
					if diff := cmp.Diff(want, got); err != nil || diff != "" {
						t.Errorf("%v, report (-want +got):\n%s", err, diff)
					}
					if len(s.retried) != want.Retried || !slices.Equal(s.retried, q.ids) || dry && s.tries > 0 {
						t.Errorf("%d orders were retried, %d of them queued, want %d", len(s.retried), len(q.ids), want.Retried)
					}
				})
			})
		}
	}
}

// TestRetryAllGoesOn holds that a walk which is taken up again and again, with
// whatever limit, meets each order once.
func TestRetryAllGoesOn(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 7, 67, 100, 150, 200, 201, 1000} {
		for _, dry := range []bool{true, false} {
			t.Run(fmt.Sprintf("limit %d, dry %t", limit, dry), func(t *testing.T) {
				s := shelve(450, "busy", "odd", "away")
				operate(t, s, plenty, func(t *testing.T, in *intake.Intake, _ *tasks) {
					t.Helper()
					var total intake.RetryReport
					var after order.Position
					for range 500 {
						got, err := in.RetryAll(t.Context(), failed("busy"), after, limit, dry)
						if err != nil || got.Count > limit {
							t.Fatalf("report %+v, %v", got, err)
						}
						total.Count += got.Count
						total.Retried += got.Retried
						if after = got.Next; after.IsZero() {
							break
						}
					}
					want := intake.RetryReport{Count: 150, Retried: 150}
					if dry {
						want.Retried = 0
					}
					if diff := cmp.Diff(want, total); diff != "" || !after.IsZero() {
						t.Errorf("next %+v, all reports together (-want +got):\n%s", after, diff)
					}
					slices.Sort(s.retried)
					if n := len(slices.Compact(s.retried)); n != want.Retried {
						t.Errorf("%d different orders were retried", n)
					}
				})
			})
		}
	}
}

// nth breaks the n-th call.
func nth(n int, err error) func(int) error {
	return func(call int) error {
		if call == n {
			return err
		}
		return nil
	}
}

// TestRetryAllErrors holds what becomes of an error: nobody pays for it who had
// orders retried already, and the next request goes on where it was met.
func TestRetryAllErrors(t *testing.T) {
	t.Parallel()
	odd := errors.New("odd")
	moved := fmt.Errorf("retry order: %w", &order.StatusError{Status: order.StatusPending})
	rows := []struct {
		name            string
		onList, onRetry func(int) error
		room            int
		dry             bool
		want            int // retried
		err             error
	}{
		{name: "list", onList: nth(1, order.ErrUnavailable), room: plenty, err: order.ErrUnavailable},
		{name: "list, dry", onList: nth(1, order.ErrUnavailable), room: plenty, dry: true, err: order.ErrUnavailable},
		{name: "second list", onList: nth(2, order.ErrUnavailable), room: plenty, want: 200},
		{name: "second list, dry", onList: nth(2, order.ErrUnavailable), room: plenty, dry: true, err: order.ErrUnavailable},
		{name: "third list", onList: nth(3, odd), room: plenty, want: 400},
		{name: "first order", onRetry: nth(1, order.ErrUnavailable), room: plenty, err: order.ErrUnavailable},
		{name: "second order", onRetry: nth(2, order.ErrUnavailable), room: plenty, want: 1},
		{name: "last order of a page", onRetry: nth(200, odd), room: plenty, want: 199},
		{name: "first order of the next page", onRetry: nth(201, odd), room: plenty, want: 200},
		{name: "no room", room: 0, err: &order.BusyError{}},
		{name: "room for some", room: 5, want: 5},
		{name: "after one that had moved on", onRetry: func(n int) error {
			return map[int]error{1: moved, 2: order.ErrUnavailable}[n]
		}, room: plenty, err: order.ErrUnavailable},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := shelve(450, "busy")
			s.onList, s.onRetry = row.onList, row.onRetry
			operate(t, s, row.room, func(t *testing.T, in *intake.Intake, q *tasks) {
				t.Helper()
				got, err := in.RetryAll(t.Context(), failed(""), order.Position{}, 1000, row.dry)
				var busy *order.BusyError
				if _, wantsBusy := row.err.(*order.BusyError); wantsBusy { //nolint:errorlint // a sample of its kind
					if !errors.As(err, &busy) {
						t.Errorf("answered %v", err)
					}
				} else if !errors.Is(err, row.err) {
					t.Errorf("answered %v, want %v", err, row.err)
				}
				want := intake.RetryReport{}
				if row.err == nil {
					want = intake.RetryReport{Count: row.want, Retried: row.want, Next: s.place(row.want)}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("report (-want +got):\n%s", diff)
				}
				if len(s.retried) != row.want || len(q.ids) != row.want {
					t.Errorf("%d orders were retried, %d queued, want %d", len(s.retried), len(q.ids), row.want)
				}
			})
		})
	}
}

// TestRetryAllMovedOn holds that orders which move on between listing and retry
// are counted and left alone.
func TestRetryAllMovedOn(t *testing.T) {
	s := shelve(10, "busy")
	s.onRetry = func(n int) error {
		switch n {
		case 2:
			s.orders[4].Status = order.StatusPending
			s.orders[6].Status = order.StatusCancelled
		case 9:
			return fmt.Errorf("retry order: %w", order.ErrNotFound)
		}
		return nil
	}
	operate(t, s, 8, func(t *testing.T, in *intake.Intake, q *tasks) {
		t.Helper()
		got, err := in.RetryAll(t.Context(), failed("busy"), order.Position{}, 10, false)
		if diff := cmp.Diff(intake.RetryReport{Count: 10, Retried: 7}, got); err != nil || diff != "" {
			t.Errorf("%v, report (-want +got):\n%s", err, diff)
		}
		want := []string{"o0", "o1", "o2", "o3", "o5", "o7", "o9"}
		if diff := cmp.Diff(want, q.ids); diff != "" {
			t.Errorf("queued (-want +got):\n%s", diff)
		}
	})
}

// TestRetryAllTime holds that a walk over slow books ends well within the time of
// a request and says where to go on, even when it has found nothing yet.
func TestRetryAllTime(t *testing.T) {
	t.Parallel()
	for _, dry := range []bool{true, false} {
		for _, part := range []string{"", "no such reason"} {
			t.Run(fmt.Sprintf("dry %t, error contains %q", dry, part), func(t *testing.T) {
				s := shelve(2050, "busy")
				s.onList = func(int) error { time.Sleep(300 * time.Millisecond); return nil } // fake time
				operate(t, s, plenty, func(t *testing.T, in *intake.Intake, _ *tasks) {
					t.Helper()
					var after order.Position
					var walks, total int
					for range 20 {
						started := time.Now()
						got, err := in.RetryAll(t.Context(), failed(part), after, plenty, dry)
						if took := time.Since(started); err != nil || took > time.Second {
							t.Fatalf("%v after %v", err, took)
						}
						walks++
						total += got.Count
						if after = got.Next; after.IsZero() {
							break
						}
					}
					if walks < 2 || !after.IsZero() {
						t.Errorf("ended after %d walks at %v", walks, after)
					}
					if want := map[string]int{"": 2050}[part]; total != want {
						t.Errorf("%d orders are counted, want %d", total, want)
					}
				})
			})
		}
	}
}

// watched is books that tell of each page which they have listed.
type watched struct {
	*ledger.Ledger
	listed func(records []order.Record)
}

func (w watched) List(
	ctx context.Context, f order.Filter, after order.Position, limit int,
) (records []order.Record, next order.Position, err error) {
	records, next, err = w.Ledger.List(ctx, f, after, limit)
	w.listed(records)
	return records, next, err
}

// settle takes an order in and settles it.
func (b *bundle) settle(t *testing.T, id, customer string, out order.Outcome) order.Record {
	t.Helper()
	rec, _, err := ledgertest.Accept(t.Context(), b.books, ordertest.Order(t, ordertest.WithID(id), ordertest.WithCustomer(customer)), order.QueueDefault)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.books.Settle(t.Context(), b.attempt(t, id), out); err != nil {
		t.Fatal(err)
	}
	return rec
}

// TestRetryAll retries the orders of real books that match, over several pages and
// requests, while others come and move on.
func TestRetryAll(t *testing.T) {
	b := open(t)
	busy, odd := order.Outcome{Status: order.StatusFailed, Error: "3 attempts used up: answered 503"}, order.Outcome{Status: order.StatusFailed, Error: "odd"}
	rejected := order.Outcome{Status: order.StatusRejected, Error: "answered 503, by a rule"}
	want := map[string]order.Status{}
	var ids []string
	for n := range 300 {
		id := fmt.Sprintf("o%d", n)
		ids = append(ids, id)
		switch n % 6 {
		case 0:
			b.settle(t, id, "Ada", odd)
			want[id] = order.StatusFailed
		case 1:
			b.settle(t, id, "Ada", rejected)
			want[id] = order.StatusRejected
		default:
			b.settle(t, id, "Ada", busy)
			want[id] = order.StatusPending
		}
	}
	until, err := b.books.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.settle(t, "late", "Ada", busy)
	want["late"] = order.StatusFailed
	ids = append(ids, "late")
	b.rdb.HSet(t.Context(), ledgertest.RecordKey("o2"), "d", "{")
	b.settle(t, "customer", "Bob", busy)

	moved := map[string]bool{}
	listed := func(records []order.Record) {
		for _, rec := range records {
			if strings.HasSuffix(rec.ID, "9") && strings.Contains(rec.Error, "503") && !moved[rec.ID] {
				moved[rec.ID] = true
				if _, err := b.books.Retry(t.Context(), rec.ID, "another operator"); err != nil {
					t.Error(err)
				}
			}
		}
	}
	q, log := &tasks{}, &bytes.Buffer{}
	in := intake.New(watched{b.books, listed}, q, shop, intake.NewAdmission(nil, nil, plenty), slog.New(slog.NewTextHandler(log, nil)))
	filter := intake.RetryFilter{
		Filter:        order.Filter{Status: order.StatusFailed, Customer: "Ada", CreatedTo: until},
		ErrorContains: "answered 503",
	}
	var total intake.RetryReport
	var after order.Position
	for range 100 {
		report, err := in.RetryAll(t.Context(), filter, after, 30, false)
		if err != nil {
			t.Fatal(err)
		}
		total.Count += report.Count
		total.Retried += report.Retried
		if after = report.Next; after.IsZero() {
			break
		}
	}
	// Of those that others retried, the walk counts what it had listed.
	if n := total.Count - total.Retried; n <= 0 || n > len(moved) || total.Retried+len(moved) != 199 || !after.IsZero() {
		t.Errorf("%d orders are counted, %d retried here and %d elsewhere, want 199 in all", total.Count, total.Retried, len(moved))
	}
	slices.Sort(q.ids)
	if n := len(slices.Compact(q.ids)); n != total.Retried || len(q.ids) != n {
		t.Errorf("%d different orders are queued in %d tasks", n, len(q.ids))
	}
	if n := b.retried(t); n != 199 {
		t.Errorf("%d retries are counted", n)
	}
	if !strings.Contains(log.String(), "order o2") {
		t.Errorf("logged %q, want the order that cannot be read", log)
	}
	b.rdb.HSet(t.Context(), ledgertest.RecordKey("o2"), "d", b.rdb.HGet(t.Context(), ledgertest.RecordKey("o3"), "d").Val())
	want["o2"] = order.StatusFailed
	for _, id := range ids {
		if rec, err := b.books.Get(t.Context(), id); err != nil || rec.Status != want[id] {
			t.Errorf("order %s is %s, %v, want %s", id, rec.Status, err, want[id])
		}
	}
}

// TestRetryAllTimeWithinAPage stops at its time in the middle of a page, and tells
// where to go on.
func TestRetryAllTimeWithinAPage(t *testing.T) {
	s := shelve(200, "busy")
	s.onRetry = func(int) error {
		<-time.After(20 * time.Millisecond)
		return nil
	}
	operate(t, s, plenty, func(t *testing.T, in *intake.Intake, _ *tasks) {
		started := time.Now()
		got, err := in.RetryAll(t.Context(), failed(""), order.Position{}, plenty, false)
		if took := time.Since(started); err != nil || got.Next.IsZero() || got.Retried == 0 || took > time.Second {
			t.Errorf("%+v, %v after %v", got, err, took)
		}
	})
}
