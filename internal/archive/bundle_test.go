package archive_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/postgrestest"
)

// shared is the PostgreSQL of all tests that do not kill it. Each has its own database.
var shared struct {
	once   sync.Once
	server *postgrestest.Server
	err    error
	names  atomic.Int64
}

func TestMain(m *testing.M) {
	for name, do := range map[string]func(address string) error{openAndPut: putOne, openAndFill: fill} {
		if address := os.Getenv(name); address != "" {
			if err := do(address); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		}
	}
	code := m.Run()
	if shared.server != nil {
		_ = shared.server.Close()
	}
	os.Exit(code)
}

// openAndPut names an archive that this program, run by a test, opens and puts an order
// into.
const openAndPut = "ARCHIVE_TO_OPEN"

func putOne(address string) error {
	a, err := archive.Open(context.Background(), address)
	if err != nil {
		return err
	}
	return errors.Join(a.Put(context.Background(), []order.History{completed("o1")}), a.Close())
}

// openAndFill names one that it puts batches into until it is killed. It writes the number
// of each batch that was confirmed.
const openAndFill = "ARCHIVE_TO_FILL"

func fill(address string) error {
	a, err := archive.Open(context.Background(), address)
	for number := 0; err == nil; number++ {
		if err = a.Put(context.Background(), batchOf(number, filled)); err == nil {
			fmt.Println(number)
		}
	}
	return err
}

// filled is the size of those batches.
const filled = 300

// bundle is an archive of its own for one test.
type bundle struct {
	*archive.Archive
	address string
	sqlite  bool
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, b *bundle)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, sqliteAddress(t)))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, postgresAddress(t)))
	})
}

func sqliteAddress(tb testing.TB) string {
	tb.Helper()
	return "sqlite://" + filepath.Join(tb.TempDir(), "archive.db")
}

func postgresAddress(tb testing.TB) string {
	tb.Helper()
	shared.once.Do(func() { shared.server, shared.err = postgrestest.Start("fsync=off", "max_connections=300") })
	return database(tb, shared.server, shared.err)
}

// database makes a database. Without PostgreSQL it skips the test, or fails it if CI is
// true.
func database(tb testing.TB, server *postgrestest.Server, err error) string {
	tb.Helper()
	switch {
	case err == nil:
	case errors.Is(err, postgrestest.ErrMissing) && os.Getenv("CI") != "true":
		tb.Skipf("not tested with PostgreSQL: %v", err)
	default:
		tb.Fatal(err)
	}
	address, err := server.Database(fmt.Sprintf("test%d", shared.names.Add(1)))
	if err != nil {
		tb.Fatal(err)
	}
	return address
}

func open(tb testing.TB, address string) *bundle {
	tb.Helper()
	a, err := archive.Open(tb.Context(), address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := a.Close(); err != nil {
			tb.Error(err)
		}
	})
	return &bundle{Archive: a, address: address, sqlite: strings.HasPrefix(address, "sqlite")}
}

func (b *bundle) put(tb testing.TB, histories ...order.History) {
	tb.Helper()
	if err := b.Put(tb.Context(), histories); err != nil {
		tb.Fatal(err)
	}
}

// wants checks what is found under an order's id.
func (b *bundle) wants(t *testing.T, want order.History) {
	t.Helper()
	rec, events, err := b.Get(t.Context(), want.Record.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff.Diff(want.Record, rec); d != "" {
		t.Errorf("record of %s (-want +got):\n%s", want.Record.ID, d)
	}
	if d := diff.Diff(want.Events, events); d != "" {
		t.Errorf("events of %s (-want +got):\n%s", want.Record.ID, d)
	}
}

// found returns the ids that a search finds, page by page.
func (b *bundle) found(tb testing.TB, f order.Filter, limit int) []string {
	tb.Helper()
	var ids []string
	for after, more := (order.Position{}), true; more; more = !after.IsZero() {
		records, next, err := b.Search(tb.Context(), f, after, limit)
		if err != nil {
			tb.Fatal(err)
		}
		if len(records) > limit || len(records) < limit && !next.IsZero() {
			tb.Fatalf("a page has %d orders, want %d", len(records), limit)
		}
		for _, rec := range records {
			ids = append(ids, rec.ID)
		}
		after = next
	}
	return ids
}

// count checks how many rows the tables have.
func (b *bundle) count(t *testing.T, orders, labels int) {
	t.Helper()
	for table, want := range map[string]int{"orders": orders, "labels": labels} {
		if got, err := b.Count(t.Context(), table); err != nil || got != want {
			t.Errorf("%d %s, want %d (%v)", got, table, want, err)
		}
	}
}

// day is when the orders of tests were accepted.
var day = time.UnixMicro(1_800_000_000_123_456).UTC()

// completed returns the history of an ordinary order with options.
func completed(id string, change ...func(*order.Record)) order.History {
	rec := order.Record{
		Order: order.Order{ID: id, Content: order.Content{
			Amount: order.Cents(1250), Items: order.Names("tea"), Customer: "Ada Lovelace", Address: "12 St James's Square\nLondon", Priority: 2,
		}},
		Status: order.StatusCompleted, Queue: order.QueueDefault, Handling: order.HandlingStandard,
		Decision:  &order.Decision{Version: order.VersionBuiltin, Action: order.ActionApprove, Handling: order.HandlingStandard, Matched: []bool{false, false}},
		CreatedAt: day, ProcessedAt: day.Add(time.Second),
		Attempts: []order.Attempt{{Number: 1, Worker: "w-1", StartedAt: day.Add(time.Millisecond), EndedAt: day.Add(time.Second), Note: "ok"}},
	}
	for _, c := range change {
		c(&rec)
	}
	return history(rec, 3)
}

// failed returns the history of an order that has failed.
func failed(id, text string, change ...func(*order.Record)) order.History {
	return completed(id, append([]func(*order.Record){func(rec *order.Record) {
		rec.Status, rec.Error, rec.Attempts[0].Error = order.StatusFailed, text, text
	}}, change...)...)
}

func acceptedAt(at time.Time) func(*order.Record) {
	return func(rec *order.Record) { rec.CreatedAt, rec.ProcessedAt = at, at.Add(time.Second) }
}

func of(customer string) func(*order.Record) {
	return func(rec *order.Record) { rec.Customer = customer }
}

func tagged(tags ...string) func(*order.Record) {
	return func(rec *order.Record) {
		d := *rec.Decision
		d.Tags = tags
		rec.Decision = &d
	}
}

func unsettled(rec *order.Record) {
	rec.Status, rec.ProcessedAt = order.StatusRetrying, time.Time{}
}

// history gives a record a timeline of so many events.
func history(rec order.Record, sequence int) order.History {
	h := order.History{Record: rec, Sequence: sequence}
	for n := range sequence {
		h.Events = append(h.Events, order.Event{
			ID: fmt.Sprintf("%d-%d", rec.CreatedAt.UnixMilli(), n), OrderID: rec.ID, Sequence: n + 1,
			Status: order.Statuses()[n%len(order.Statuses())], At: rec.CreatedAt.Add(time.Duration(n) * time.Microsecond), Attempt: n, Worker: "w-1",
		})
	}
	return h
}

// full returns a history with every field set.
func full(tb testing.TB) order.History {
	tb.Helper()
	shadow := order.Decision{Version: "v2", Action: order.ActionReject, Rule: "too large", Reason: "amount", Failed: true, Tags: []string{"x"}, Matched: []bool{true}}
	rec := order.Record{
		Order: ordertest.Order(tb, ordertest.Full), Status: order.StatusFailed, Queue: order.QueueLow, Handling: order.HandlingPriority,
		Decision: &order.Decision{
			Version: "v1", Action: order.ActionHold, Handling: order.HandlingExpedited, Rule: "new customer", Reason: "look first", Failed: true,
			Tags: []string{"vip", "new"}, Matched: []bool{true, false, true}, Hold: order.HoldTerm{Expires: time.Hour + 1, Release: true},
			Customer: &order.CustomerFacts{Orders24h: 3, Amount24h: 12_345}, Shadow: &shadow,
		},
		Released: true, TraceID: "0123456789abcdef0123456789abcdef", HeldAt: day.Add(2 * time.Microsecond), HeldUntil: day.Add(time.Hour), CreatedAt: day, NextAttemptAt: day.Add(time.Minute), ProcessedAt: day.Add(time.Second),
		Error: "fulfilment answered 503 Service Unavailable", CancelReason: "changed <their> mind & more", WorkersLost: 2,
		Attempts: []order.Attempt{
			{Number: 1, Worker: "w-1", StartedAt: day.Add(1), EndedAt: day.Add(time.Microsecond), Error: "no", Note: `{"a":1}`},
			{Number: 7, Worker: "w-2", StartedAt: day.Add(time.Second)},
		},
	}
	rec.Attempts[0].StartedAt = day.Add(time.Microsecond)
	return order.History{Record: rec, Sequence: 9, Events: []order.Event{
		{ID: "1800000000123-0", OrderID: rec.ID, Sequence: 1, Status: order.StatusPending, At: day, Attempt: 1, Worker: "w-1", Reason: "why", Actor: "ops"},
	}}
}
