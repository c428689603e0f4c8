package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/stats"
)

// bundle is what each test of the ledger gets: books in a Redis of its own.
type bundle struct {
	*ledger.Ledger
	server  *redistest.Server
	rdb     *redis.Client
	breaker *redistest.Breaker
}

func open(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	return newBundle(t)
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	server := redistest.Start(t)
	b := &bundle{server: server, rdb: server.Client(), breaker: &redistest.Breaker{}}
	broken := server.Client()
	broken.AddHook(b.breaker)
	b.Ledger = ledger.New(broken)
	t.Cleanup(func() { ledgertest.CheckBooks(t, b.rdb) })
	return b
}

const maxAttempts = 3

func sample(id string) order.Order {
	return order.Order{
		ID: id, Content: order.Content{
			Amount: order.Cents(1250), Items: order.Names("tea", "cups"), Customer: "ada@example.com",
			Address: "12 Main Street\nLondon", Priority: order.PriorityMedium, Notes: "ring twice",
		},
	}
}

func claim(id, token string) order.Claim {
	return order.Claim{
		ID: id, Token: token, Worker: "worker-" + token, Handling: order.HandlingStandard, MaxAttempts: maxAttempts,
	}
}

func completed() order.Outcome {
	return order.Outcome{Status: order.StatusCompleted, Note: "thanks"}
}

// archived returns books whose orders also go into an archive. What that lacks is up to
// the test.
func archived(t *testing.T) (*bundle, *fakeArchive) {
	t.Helper()
	b, a := open(t), &fakeArchive{lacks: map[string]bool{}}
	broken := b.server.Client()
	broken.AddHook(b.breaker)
	b.Ledger = ledger.NewWith(broken, ledger.Config{Archive: a})
	return b, a
}

// fakeArchive is an archive that has every history but those of some orders.
type fakeArchive struct {
	lacks map[string]bool
	err   error
}

func (a *fakeArchive) Missing(_ context.Context, histories []order.History) (missing []order.History, err error) {
	for _, h := range histories {
		if a.lacks[h.Record.ID] {
			missing = append(missing, h)
		}
	}
	return missing, a.err
}

func (b *bundle) do(t *testing.T, steps ...step) {
	t.Helper()
	for i, s := range steps {
		if err := s.run(t.Context(), b.Ledger); err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
	}
}

// acceptMany accepts so many orders, in batches.
func (b *bundle) acceptMany(t *testing.T, n int) {
	t.Helper()
	many := make([]order.Order, n)
	for i := range many {
		many[i] = sample(fmt.Sprint("many", i))
	}
	for batch := range slices.Chunk(many, 500) {
		b.do(t, acceptAll(batch...))
	}
}

func (b *bundle) get(t *testing.T, id string) order.Record {
	t.Helper()
	rec, err := b.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// events returns the timeline of an order.
func (b *bundle) events(t *testing.T, id string) []order.Event {
	t.Helper()
	events, err := b.Events(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// totals returns the totals, which must balance.
func (b *bundle) totals(t *testing.T) stats.Totals {
	t.Helper()
	totals, err := ledger.New(b.rdb).Totals(t.Context())
	if err != nil || totals.Drift() != 0 {
		t.Fatalf("totals %+v, drift %d, %v", totals, totals.Drift(), err)
	}
	return totals
}

// dump returns all that is in Redis by key, to compare.
func (b *bundle) dump(t *testing.T) map[string]string {
	t.Helper()
	dump := map[string]string{}
	for _, key := range b.rdb.Keys(t.Context(), "*").Val() {
		var content any
		switch kind := b.rdb.Type(t.Context(), key).Val(); kind {
		case "hash":
			content = b.rdb.HGetAll(t.Context(), key).Val()
		case "zset":
			content = b.rdb.ZRangeWithScores(t.Context(), key, 0, -1).Val()
		case "stream":
			content = b.rdb.XRange(t.Context(), key, "-", "+").Val()
		default:
			t.Fatalf("key %s is a %s", key, kind)
		}
		dump[key] = fmt.Sprint(content)
	}
	return dump
}

// stream returns all events of the stream.
func (b *bundle) stream(t *testing.T) []ledgertest.Event {
	t.Helper()
	events, err := ledgertest.Stream(t.Context(), b.rdb, ledgertest.EventsKey)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// sameError compares errors as callers do.
func sameError(got, want error) bool {
	var asked, answered *order.StatusError
	if errors.As(want, &asked) {
		return errors.As(got, &answered) && *answered == *asked
	}
	return errors.Is(got, want)
}

// ignoreTimes compares everything except times, and what depends on them: the ids of
// events, and how long something took.
var ignoreTimes = cmp.Options{
	cmpopts.IgnoreTypes(time.Time{}), cmpopts.IgnoreFields(order.Begun{}, "Since"), cmpopts.IgnoreFields(order.Event{}, "ID"), cmpopts.EquateEmpty(),
	cmpopts.IgnoreFields(ledgertest.Event{}, "ID", "At"), cmp.Transformer("count", stats.Histogram.Count),
	cmpopts.IgnoreMapEntries(func(_ order.Status, n int64) bool { return n == 0 }),
}

func ids(records []order.Record) []string {
	ids := make([]string, len(records))
	for i, rec := range records {
		ids[i] = rec.ID
	}
	return ids
}

func attempt(number int, token, reason, note string) order.Attempt {
	return order.Attempt{Number: number, Worker: "worker-" + token, Error: reason, Note: note}
}

func record(s order.Status, attempts ...order.Attempt) order.Record {
	rec := order.Record{Order: sample("o1"), Status: s, Queue: order.QueueDefault, Attempts: attempts}
	if len(attempts) > 0 {
		rec.Handling = order.HandlingStandard
	}
	return rec
}

func scheduled(o order.Order) order.Order {
	o.ProcessAt = time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	return o
}

func withReason(rec order.Record, reason string) order.Record {
	rec.CancelReason = reason
	return rec
}

func withError(rec order.Record, reason string) order.Record {
	rec.Error = reason
	return rec
}

// refused is the outcome of an order that the shop refuses for good.
func refused() order.Outcome { return order.Outcome{Status: order.StatusFailed, Error: "refused"} }

// rejected is the outcome of an order that a rule rejects.
func rejected() order.Outcome {
	return order.Outcome{Status: order.StatusRejected, Error: "too many items in order"}
}

// ofNoHandling is the claim on an order that a rule rejects.
func ofNoHandling(c order.Claim) order.Claim {
	c.Handling = ""
	return c
}

// state is what is in the books.
type state struct {
	Totals    stats.Totals
	Records   []order.Record
	Timelines [][]order.Event
	Stream    []ledgertest.Event
	Audit     []order.AuditEntry
	Jobs      []order.Job
}

// audit returns all entries of the audit, newest first.
func (b *bundle) audit(t *testing.T) []order.AuditEntry {
	t.Helper()
	entries, _, err := ledger.New(b.rdb).AuditEntries(t.Context(), order.AuditFilter{}, "", 1000)
	must(t, err)
	return entries
}

// state returns the state of the books, with the records of those of the orders that there
// are.
func (b *bundle) state(t *testing.T, ids ...string) state {
	t.Helper()
	s := state{Totals: b.totals(t), Stream: b.stream(t), Audit: b.audit(t)}
	jobs, err := ledger.New(b.rdb).Jobs(t.Context(), 10)
	must(t, err)
	s.Jobs = jobs
	for i := range s.Audit {
		s.Audit[i].ID = "" // it is a time
	}
	for _, id := range ids {
		if rec, err := ledger.New(b.rdb).Get(t.Context(), id); err == nil {
			s.Records, s.Timelines = append(s.Records, rec), append(s.Timelines, b.events(t, id))
		}
	}
	return s
}
