package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	"orderprocessor/internal/queue/queuetest"
)

// inBubble runs a test, where time is fake, with an intake that has room for so many orders.
func inBubble(t *testing.T, l *listLedger, room int, test func(t *testing.T, in *intake.Intake, q *fakeQueue)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{}
		test(t, newIntake(l, q, room), q)
	})
}

func failed(errorContains string) intake.RetryFilter {
	return intake.RetryFilter{Filter: order.Filter{Status: order.StatusFailed}, ErrorContains: errorContains}
}

// retryAll repeats RetryAll until no order is left, and returns the sum of the reports and
// the number of calls.
func retryAll(t *testing.T, in *intake.Intake, f intake.RetryFilter, limit int, dry bool) (sum intake.RetryReport, calls int) {
	t.Helper()
	var after order.Position
	for range 500 {
		started := time.Now()
		got, err := in.RetryAll(t.Context(), f, after, limit, dry, order.Intervention{Actor: "ops"})
		if err != nil || got.Count > limit || time.Since(started) > time.Second {
			t.Fatalf("report %+v, %v, after %v", got, err, time.Since(started))
		}
		calls++
		sum.Count += got.Count
		sum.Retried += got.Retried
		if after = got.Next; after.IsZero() {
			return sum, calls
		}
	}
	t.Errorf("the next position is still %+v", after)
	return sum, calls
}

// TestRetryAllLimit checks that a limit counts the orders that match, that the report contains
// the next position, and that a dry run changes nothing.
func TestRetryAllLimit(t *testing.T) {
	t.Parallel()
	busy, mixed := []string{"busy"}, []string{"odd", "busy", "away"}
	answers := []string{"3 attempts used up: answered 503", "answered 500"}
	rows := []struct {
		name    string
		orders  int
		reasons []string
		part    string
		limit   int
		count   int
		seen    int // after which the next call continues; 0 if no order is left
	}{
		{"nothing there", 0, busy, "", 100, 0, 0},
		{"all", 450, busy, "", 1000, 450, 0},
		{"one", 450, busy, "", 1, 1, 1},
		{"in the middle of a page", 450, busy, "", 150, 150, 150},
		{"at the end of a page", 450, busy, "", 200, 200, 200},
		{"after the end of a page", 450, busy, "", 201, 201, 201},
		{"at the end of the second page", 450, busy, "", 400, 400, 400},
		{"one before the last", 450, busy, "", 449, 449, 449},
		{"at the last", 450, busy, "", 450, 450, 0},
		{"at the last, which ends a page", 400, busy, "", 400, 400, 0},
		{"every third", 450, mixed, "busy", 1000, 150, 0},
		{"every third, in the middle", 450, mixed, "busy", 50, 50, 149},
		{"every third, at the end of a page", 450, mixed, "busy", 67, 67, 200},
		{"at the last that matches", 450, mixed, "odd", 150, 150, 448},
		{"none matches", 450, busy, "Busy", 10, 0, 0},
		{"a part of the error", 3, answers, "answered 50", 9, 3, 0},
		{"a longer part", 3, answers, "up: answered", 9, 2, 0},
	}
	for _, row := range rows {
		for _, dry := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, dry %t", row.name, dry), func(t *testing.T) {
				l := listOf(row.orders, row.reasons...)
				inBubble(t, l, plenty, func(t *testing.T, in *intake.Intake, q *fakeQueue) {
					want := intake.RetryReport{Count: row.count, Next: l.position(row.seen)}
					if !dry {
						want.Retried = row.count
					}
					got, err := in.RetryAll(t.Context(), failed(row.part), order.Position{}, row.limit, dry, order.Intervention{Actor: "ops"})
					if diff := cmp.Diff(want, got); err != nil || diff != "" {
						t.Errorf("%v, report (-want +got):\n%s", err, diff)
					}
					if len(l.retried) != want.Retried || !slices.Equal(l.retried, q.ids) || dry && l.retries > 0 {
						t.Errorf("%d orders were retried, %d of them enqueued, want %d", len(l.retried), len(q.ids), want.Retried)
					}
				})
			})
		}
	}
}

// nth returns an error for the n-th call.
func nth(n int, err error) func(int) error {
	return func(call int) error {
		if call == n {
			return err
		}
		return nil
	}
}

// TestRetryAllErrors checks that an error is returned only if no order was retried before
// it, and that the next call continues where it occurred.
func TestRetryAllErrors(t *testing.T) {
	t.Parallel()
	odd, busy := errors.New("odd"), errors.New("a *order.BusyError")
	moved := fmt.Errorf("retry order: %w", &order.StatusError{Status: order.StatusPending})
	rows := []struct {
		name            string
		onList, onRetry func(int) error
		room            int
		dry             bool
		want            int // retried
		err             error
	}{
		{name: "list", onList: nth(1, order.ErrUnavailable), err: order.ErrUnavailable},
		{name: "list, dry", onList: nth(1, order.ErrUnavailable), dry: true, err: order.ErrUnavailable},
		{name: "second list", onList: nth(2, order.ErrUnavailable), want: 200},
		{name: "second list, dry", onList: nth(2, order.ErrUnavailable), dry: true, err: order.ErrUnavailable},
		{name: "third list", onList: nth(3, odd), want: 400},
		{name: "first order", onRetry: nth(1, order.ErrUnavailable), err: order.ErrUnavailable},
		{name: "second order", onRetry: nth(2, order.ErrUnavailable), want: 1},
		{name: "last order of a page", onRetry: nth(200, odd), want: 199},
		{name: "first order of the next page", onRetry: nth(201, odd), want: 200},
		{name: "no room", room: -plenty, err: busy},
		{name: "room for some", room: 5 - plenty, want: 5},
		{name: "after one that had moved on", onRetry: func(n int) error {
			return map[int]error{1: moved, 2: order.ErrUnavailable}[n]
		}, err: order.ErrUnavailable},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			l := listOf(450, "busy")
			if row.onList != nil {
				l.onList = row.onList
			}
			if row.onRetry != nil {
				l.onRetry = row.onRetry
			}
			inBubble(t, l, plenty+row.room, func(t *testing.T, in *intake.Intake, q *fakeQueue) {
				got, err := in.RetryAll(t.Context(), failed(""), order.Position{}, 1000, row.dry, order.Intervention{Actor: "ops"})
				var refused *order.BusyError
				if row.err == busy && errors.As(err, &refused) { //nolint:errorlint // it represents any *order.BusyError
					err = busy
				}
				if !errors.Is(err, row.err) {
					t.Errorf("answered %v, want %v", err, row.err)
				}
				want := intake.RetryReport{Count: row.want, Retried: row.want, Next: l.position(row.want)}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("report (-want +got):\n%s", diff)
				}
				if len(l.retried) != row.want || len(q.ids) != row.want {
					t.Errorf("%d orders were retried, %d enqueued, want %d", len(l.retried), len(q.ids), row.want)
				}
			})
		})
	}
}

// TestRetryAllMovedOn checks that orders whose status changes after they were listed are
// counted and not retried.
func TestRetryAllMovedOn(t *testing.T) {
	l := listOf(10, "busy")
	l.onRetry = func(n int) error {
		switch n {
		case 2:
			l.orders[4].Status = order.StatusPending
			l.orders[6].Status = order.StatusCancelled
		case 9:
			return fmt.Errorf("retry order: %w", order.ErrNotFound)
		}
		return nil
	}
	inBubble(t, l, 8, func(t *testing.T, in *intake.Intake, q *fakeQueue) {
		got, err := in.RetryAll(t.Context(), failed("busy"), order.Position{}, 10, false, order.Intervention{Actor: "ops"})
		if diff := cmp.Diff(intake.RetryReport{Count: 10, Retried: 7}, got); err != nil || diff != "" {
			t.Errorf("%v, report (-want +got):\n%s", err, diff)
		}
		if diff := cmp.Diff([]string{"o0", "o1", "o2", "o3", "o5", "o7", "o9"}, q.ids); diff != "" {
			t.Errorf("enqueued (-want +got):\n%s", diff)
		}
	})
}

// TestRetryAllTime checks that a call on a slow ledger ends well within the time of a
// request, between pages and within one, and returns the next position.
func TestRetryAllTime(t *testing.T) {
	t.Parallel()
	slow := func(d time.Duration) func(int) error {
		return func(int) error { time.Sleep(d); return nil } // fake time
	}
	rows := []struct {
		name   string
		orders int
		list   time.Duration
		retry  time.Duration
		part   string
		dry    bool
		count  int
	}{
		{"slow lists", 2050, 300 * time.Millisecond, 0, "", false, 2050},
		{"slow lists, dry", 2050, 300 * time.Millisecond, 0, "", true, 2050},
		{"slow lists, nothing matches", 2050, 300 * time.Millisecond, 0, "no such reason", false, 0},
		{"slow lists, nothing matches, dry", 2050, 300 * time.Millisecond, 0, "no such reason", true, 0},
		{"slow retries", 200, 0, 20 * time.Millisecond, "", false, 200},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			l := listOf(row.orders, "busy")
			l.onList, l.onRetry = slow(row.list), slow(row.retry)
			inBubble(t, l, plenty, func(t *testing.T, in *intake.Intake, _ *fakeQueue) {
				got, calls := retryAll(t, in, failed(row.part), plenty, row.dry)
				if calls < 2 || got.Count != row.count {
					t.Errorf("%d calls counted %d orders, want %d", calls, got.Count, row.count)
				}
			})
		})
	}
}

// watched is a ledger that calls listed with each page before it returns it.
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

// settle accepts an order and settles it, without a task.
func (b *bundle) settle(id, customer string, out order.Outcome) {
	b.t.Helper()
	o := ordertest.Order(b.t, ordertest.WithID(id), ordertest.WithCustomer(customer))
	_, _, err := ledgertest.Accept(b.t.Context(), b.ledger, o, order.QueueDefault)
	queuetest.Must(b.t, err)
	queuetest.Must(b.t, b.ledger.Settle(b.t.Context(), b.attempt(id), out))
}

// TestRetryAll retries the matching orders of a real ledger, over several pages and calls,
// while others are accepted and retried.
func TestRetryAll(t *testing.T) {
	b := open(t)
	busy := order.Outcome{Status: order.StatusFailed, Error: "3 attempts used up: answered 503"}
	odd := order.Outcome{Status: order.StatusFailed, Error: "odd"}
	rejected := order.Outcome{Status: order.StatusRejected, Error: "answered 503, by a rule"}
	want := map[string]order.Status{}
	for n := range 300 {
		id := fmt.Sprintf("o%d", n)
		switch n % 6 {
		case 0:
			b.settle(id, "Ada", odd)
			want[id] = order.StatusFailed
		case 1:
			b.settle(id, "Ada", rejected)
			want[id] = order.StatusRejected
		default:
			b.settle(id, "Ada", busy)
			want[id] = order.StatusPending
		}
	}
	until, err := b.ledger.Now(t.Context())
	queuetest.Must(t, err)
	b.settle("late", "Ada", busy)
	b.settle("customer", "Bob", busy)
	want["late"], want["customer"] = order.StatusFailed, order.StatusFailed
	document := b.RDB.HGet(t.Context(), ledgertest.RecordKey("o2"), "d").Val()
	b.RDB.HSet(t.Context(), ledgertest.RecordKey("o2"), "d", "{")
	want["o2"] = order.StatusFailed

	moved := map[string]bool{}
	listed := func(records []order.Record) {
		for _, rec := range records {
			if strings.HasSuffix(rec.ID, "9") && strings.Contains(rec.Error, "503") && !moved[rec.ID] {
				moved[rec.ID] = true
				if _, err := b.ledger.Retry(t.Context(), rec.ID, "another operator", order.Intervention{Actor: "ops"}); err != nil {
					t.Error(err)
				}
			}
		}
	}
	q, log := &fakeQueue{}, &bytes.Buffer{}
	in := intake.New(watched{b.ledger, listed}, q, shop, intake.NewAdmission(nil, nil, plenty), slog.New(slog.NewTextHandler(log, nil)))
	total, _ := retryAll(t, in, intake.RetryFilter{
		Filter:        order.Filter{Status: order.StatusFailed, Customer: "Ada", CreatedTo: until},
		ErrorContains: "answered 503",
	}, 30, false)
	// Of those that others retried, RetryAll counts what it had listed.
	if n := total.Count - total.Retried; n <= 0 || n > len(moved) || total.Retried+len(moved) != 199 {
		t.Errorf("%d orders are counted, %d retried here and %d elsewhere, want 199 in all", total.Count, total.Retried, len(moved))
	}
	slices.Sort(q.ids)
	if n := len(slices.Compact(q.ids)); n != total.Retried || len(q.ids) != n {
		t.Errorf("%d different orders are enqueued in %d tasks", n, len(q.ids))
	}
	b.checkRetried(199)
	if !strings.Contains(log.String(), "order o2") {
		t.Errorf("logged %q, want the order that cannot be read", log)
	}
	b.RDB.HSet(t.Context(), ledgertest.RecordKey("o2"), "d", document)
	for id, status := range want {
		if rec, err := b.ledger.Get(t.Context(), id); err != nil || rec.Status != status {
			t.Errorf("order %s is %s, %v, want %s", id, rec.Status, err, status)
		}
	}
}
