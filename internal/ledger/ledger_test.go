package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
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
		ID: id, Amount: 1250, Items: []string{"tea", "cups"}, Customer: "ada@example.com",
		Address: "12 Main Street\nLondon", Priority: order.PriorityMedium, Notes: "ring twice",
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

// step is one change of the books, for scripts of a test.
type step func(ctx context.Context, l *ledger.Ledger) error

func accept(o order.Order) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		_, _, err := l.Accept(ctx, o, order.QueueDefault)
		return err
	}
}

func begin(c order.Claim) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		_, err := l.Begin(ctx, c)
		return err
	}
}

func fail(c order.Claim) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		return l.Fail(ctx, c, "shop answered 500", "busy", time.Minute)
	}
}

func settle(c order.Claim, out order.Outcome) step {
	return func(ctx context.Context, l *ledger.Ledger) error { return l.Settle(ctx, c, out) }
}

func requeued(id, token string) step {
	return func(ctx context.Context, l *ledger.Ledger) error {
		_, err := l.Requeued(ctx, id, token)
		return err
	}
}

func (b *bundle) do(t *testing.T, steps ...step) {
	t.Helper()
	for i, s := range steps {
		if err := s(t.Context(), b.Ledger); err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
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

// ignoreTimes compares records by everything but the clock.
var ignoreTimes = cmp.Options{
	cmpopts.IgnoreTypes(time.Time{}), cmpopts.EquateEmpty(),
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

func withError(rec order.Record, reason string) order.Record {
	rec.Error = reason
	return rec
}

// TestChanges holds every change to its contract: in which state it finds the
// books, what it answers, and how it leaves them.
func TestChanges(t *testing.T) {
	t.Parallel()
	a, b := claim("o1", "a"), claim("o1", "b")
	other := sample("o1")
	other.Notes = "different"
	rejected := order.Outcome{Status: order.StatusRejected, Error: "too many items in order"}
	failed := order.Outcome{Status: order.StatusFailed, Error: "out of attempts"}
	reject := a
	reject.Handling = ""
	const lost, busy = "worker was lost", "shop answered 500"
	rows := []struct {
		name   string
		before []step
		do     step
		err    error
		after  order.Record
	}{
		{"accept a new order", nil, accept(sample("o1")), nil, record(order.StatusPending)},
		{"accept it again", []step{accept(sample("o1"))}, accept(sample("o1")), nil, record(order.StatusPending)},
		{"accept its id with other content", []step{accept(sample("o1"))}, accept(other), order.ErrConflict, record(order.StatusPending)},
		{
			"begin a pending order",
			[]step{accept(sample("o1"))},
			begin(a), nil,
			record(order.StatusProcessing, attempt(1, "a", "", "")),
		},
		{
			"begin again with the same token",
			[]step{accept(sample("o1")), begin(a)},
			begin(a), nil,
			record(order.StatusProcessing, attempt(1, "a", "", "")),
		},
		{
			"begin what a lost worker left",
			[]step{accept(sample("o1")), begin(a)},
			begin(b), nil,
			record(order.StatusProcessing, attempt(1, "a", lost, ""), attempt(2, "b", "", "")),
		},
		{
			"begin after a failed attempt",
			[]step{accept(sample("o1")), begin(a), fail(a)},
			begin(b), nil,
			withError(record(order.StatusProcessing, attempt(1, "a", busy, "busy"), attempt(2, "b", "", "")), busy),
		},
		{
			"begin a settled order",
			[]step{accept(sample("o1")), begin(a), settle(a, completed())},
			begin(b),
			order.ErrSettled, record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{
			"begin without an attempt left",
			[]step{accept(sample("o1")), begin(claim("o1", "x")), begin(claim("o1", "y")), begin(a)},
			begin(b),
			order.ErrExhausted,
			record(order.StatusProcessing, attempt(1, "x", lost, ""), attempt(2, "y", lost, ""), attempt(3, "a", lost, "")),
		},
		{
			"fail an attempt",
			[]step{accept(sample("o1")), begin(a)},
			fail(a), nil,
			withError(record(order.StatusRetrying, attempt(1, "a", busy, "busy")), busy),
		},
		{
			"fail it again",
			[]step{accept(sample("o1")), begin(a), fail(a)},
			fail(a), nil,
			withError(record(order.StatusRetrying, attempt(1, "a", busy, "busy")), busy),
		},
		{
			"fail a stale attempt",
			[]step{accept(sample("o1")), begin(a), begin(b)},
			fail(a), order.ErrStale,
			record(order.StatusProcessing, attempt(1, "a", lost, ""), attempt(2, "b", "", "")),
		},
		{
			"fail an attempt of a settled order",
			[]step{accept(sample("o1")), begin(a), begin(b), settle(b, completed())},
			fail(a), order.ErrSettled,
			record(order.StatusCompleted, attempt(1, "a", lost, ""), attempt(2, "b", "", "thanks")),
		},
		{
			"complete an order",
			[]step{accept(sample("o1")), begin(a)},
			settle(a, completed()), nil,
			record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{
			"complete it again",
			[]step{accept(sample("o1")), begin(a), settle(a, completed())},
			settle(a, completed()), nil,
			record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{
			"give a second outcome",
			[]step{accept(sample("o1")), begin(a), settle(a, completed())},
			settle(a, failed),
			order.ErrSettled, record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{
			"settle with a stale attempt",
			[]step{accept(sample("o1")), begin(a), begin(b)},
			settle(a, completed()),
			order.ErrStale, record(order.StatusProcessing, attempt(1, "a", lost, ""), attempt(2, "b", "", "")),
		},
		{
			"complete after a failed attempt forgets its error",
			[]step{accept(sample("o1")), begin(a), fail(a), begin(b)},
			settle(b, completed()), nil,
			record(order.StatusCompleted, attempt(1, "a", busy, "busy"), attempt(2, "b", "", "thanks")),
		},
		{
			"reject an order",
			[]step{accept(sample("o1")), begin(reject)},
			settle(reject, rejected), nil,
			func() order.Record {
				rec := withError(record(order.StatusRejected, attempt(1, "a", "", "")), rejected.Error)
				rec.Handling = ""
				return rec
			}(),
		},
		{
			"settle an order out of attempts",
			[]step{
				accept(sample("o1")), begin(claim("o1", "x")), begin(claim("o1", "y")), begin(claim("o1", "z")),
				func(ctx context.Context, l *ledger.Ledger) error {
					if _, err := l.Begin(ctx, a); !errors.Is(err, order.ErrExhausted) {
						return fmt.Errorf("begin: %w", err)
					}
					return nil
				},
			},
			settle(a, failed), nil,
			withError(record(order.StatusFailed,
				attempt(1, "x", lost, ""), attempt(2, "y", lost, ""), attempt(3, "z", lost, "")), failed.Error),
		},
		{"count a repair", []step{accept(sample("o1"))}, requeued("o1", "r1"), nil, record(order.StatusPending)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			books := open(t)
			books.do(t, row.before...)
			if err := row.do(t.Context(), books.Ledger); !errors.Is(err, row.err) {
				t.Errorf("answered %v, want %v", err, row.err)
			}
			if diff := cmp.Diff(row.after, books.get(t, "o1"), ignoreTimes); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMissingOrder holds that no change invents an order.
func TestMissingOrder(t *testing.T) {
	books := open(t)
	c := claim("nobody", "a")
	for name, do := range map[string]step{
		"begin": begin(c), "fail": fail(c), "settle": settle(c, completed()),
		"get": func(ctx context.Context, l *ledger.Ledger) error { _, err := l.Get(ctx, "nobody"); return err },
	} {
		if err := do(t.Context(), books.Ledger); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("%s of an unknown order answered %v", name, err)
		}
	}
	if n := books.rdb.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys were left behind", n)
	}
}

// TestFaults breaks every change in both ways a network can, repeats it, and
// wants the books as if nothing had happened.
func TestFaults(t *testing.T) {
	t.Parallel()
	a := claim("o1", "a")
	changes := []struct {
		name   string
		before []step
		do     step
	}{
		{"accept", nil, accept(sample("o1"))},
		{"begin", []step{accept(sample("o1"))}, begin(a)},
		{"begin after a lost worker", []step{accept(sample("o1")), begin(claim("o1", "x"))}, begin(a)},
		{"fail", []step{accept(sample("o1")), begin(a)}, fail(a)},
		{"settle", []step{accept(sample("o1")), begin(a)}, settle(a, completed())},
		{"requeued", []step{accept(sample("o1"))}, requeued("o1", "r1")},
		{
			"forget",
			[]step{accept(sample("o1")), begin(a), settle(a, completed()), accept(sample("o2"))},
			func(ctx context.Context, l *ledger.Ledger) error {
				_, err := l.Forget(ctx, time.Now().Add(time.Hour), 10)
				return err
			},
		},
	}
	for _, change := range changes {
		for _, fault := range redistest.Faults() {
			t.Run(change.name+"/"+fault.String(), func(t *testing.T) {
				broken, whole := open(t), newBundle(t)
				broken.do(t, change.before...)
				whole.do(t, append(change.before, change.do)...)
				before := broken.state(t)

				broken.breaker.Break(fault, redistest.Script("orders:"))
				if err := change.do(t.Context(), broken.Ledger); !errors.Is(err, order.ErrUnavailable) {
					t.Fatalf("the broken change answered %v", err)
				}
				want := before
				if fault == redistest.ReplyLost {
					want = whole.state(t)
				}
				if diff := cmp.Diff(want, broken.state(t), ignoreTimes); diff != "" {
					t.Errorf("after the fault (-want +got):\n%s", diff)
				}
				if err := change.do(t.Context(), broken.Ledger); err != nil {
					t.Errorf("the repeated change answered %v", err)
				}
				if diff := cmp.Diff(whole.state(t), broken.state(t), ignoreTimes); diff != "" {
					t.Errorf("after the repeat (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// state is what the books say, apart from times and durations.
type state struct {
	Records  []order.Record
	Events   []string
	Accepted int64
	Attempts int64
	Requeued int64
	ByStatus map[order.Status]int64
	Indexed  map[order.Status]int64
	Observed [3]int64
}

func (b *bundle) state(t *testing.T) state {
	t.Helper()
	totals, err := ledger.New(b.rdb).Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := state{
		Accepted: totals.Accepted, Attempts: totals.Attempts, Requeued: totals.Requeued,
		ByStatus: map[order.Status]int64{}, Indexed: totals.Indexed,
		Observed: [3]int64{
			totals.QueueWait[order.QueueDefault].Count(),
			totals.Processing[order.QueueDefault].Count(),
			totals.EndToEnd[order.QueueDefault].Count(),
		},
	}
	for status, n := range totals.ByStatus {
		if n != 0 {
			s.ByStatus[status] = n
		}
	}
	for _, id := range []string{"o1", "o2"} {
		if rec, err := ledger.New(b.rdb).Get(t.Context(), id); err == nil {
			s.Records = append(s.Records, rec)
		}
	}
	for _, e := range b.rdb.XRange(t.Context(), "orders:{b0}:e", "-", "+").Val() {
		s.Events = append(s.Events, fmt.Sprint(e.Values["id"], e.Values["seq"], e.Values["status"], e.Values["attempt"]))
	}
	return s
}

// TestRecordTimes holds the times of a record to the clock of Redis.
func TestRecordTimes(t *testing.T) {
	books := open(t)
	start := books.rdb.Time(t.Context()).Val()
	a, b := claim("o1", "a"), claim("o1", "b")
	books.do(t, accept(sample("o1")), begin(a), fail(a))
	retrying := books.get(t, "o1")
	books.do(t, begin(b), settle(b, completed()))
	end := books.rdb.Time(t.Context()).Val()
	rec := books.get(t, "o1")

	times := []time.Time{
		start.Truncate(time.Microsecond), rec.CreatedAt,
		rec.Attempts[0].StartedAt, rec.Attempts[0].EndedAt,
		rec.Attempts[1].StartedAt, rec.Attempts[1].EndedAt, end,
	}
	for i := 1; i < len(times); i++ {
		if times[i].Before(times[i-1]) {
			t.Errorf("time %d, %v, is before %v", i, times[i], times[i-1])
		}
	}
	if got := retrying.NextAttemptAt.Sub(rec.Attempts[0].EndedAt); got != time.Minute {
		t.Errorf("next attempt is due %v after the failed one, want a minute", got)
	}
	if !rec.NextAttemptAt.IsZero() || rec.ProcessedAt != rec.Attempts[1].EndedAt {
		t.Errorf("settled record has next attempt %v, processed at %v", rec.NextAttemptAt, rec.ProcessedAt)
	}
}

// TestHistogramBuckets holds the buckets of the scripts to the bounds that
// readers use.
func TestHistogramBuckets(t *testing.T) {
	books := open(t)
	prelude, err := os.ReadFile("scripts/prelude.lua")
	if err != nil {
		t.Fatal(err)
	}
	observe := redis.NewScript(string(prelude) + "observe('queue_wait', 'default', tonumber(ARGV[3])) return 0")
	keys := []string{"record", "counters", "events", "index:"}
	for i := range stats.Buckets {
		bound := stats.Bound(i).Microseconds()
		rounding := max(1, bound/1000) // bounds are no whole microseconds
		for us, want := range map[int64]int{bound - rounding: i, bound + rounding: min(i+1, stats.Buckets-1)} {
			books.rdb.Del(t.Context(), "counters")
			if err := observe.Run(t.Context(), books.rdb, keys, "o1", 1, us).Err(); err != nil {
				t.Fatal(err)
			}
			field := fmt.Sprintf("l:queue_wait:default:%d", want)
			if got := books.rdb.HGetAll(t.Context(), "counters").Val(); got[field] != "1" {
				t.Errorf("%d µs counted as %v, want bucket %d", us, got, want)
			}
		}
	}
}

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
	if n := books.rdb.ZCard(t.Context(), "orders:{b0}:s:completed").Val(); n != 1 {
		t.Errorf("the index of completed orders holds %d", n)
	}
}

// TestWaiting holds the listing to its bounds and order.
func TestWaiting(t *testing.T) {
	books := open(t)
	var all []order.Record
	for i := range 5 {
		books.do(t, accept(sample(fmt.Sprintf("o%d", i))))
		all = append(all, books.get(t, fmt.Sprintf("o%d", i)))
	}
	later := all[4].CreatedAt.Add(time.Hour)
	rows := []struct {
		name          string
		after, before time.Time
		limit         int
		want          []order.Record
		next          time.Time
	}{
		{"all", time.Time{}, later, 9, all, time.Time{}},
		{"a page", time.Time{}, later, 2, all[:2], all[1].CreatedAt},
		{"the next page", all[1].CreatedAt, later, 2, all[2:4], all[3].CreatedAt},
		{"before is left out", time.Time{}, all[1].CreatedAt, 9, all[:1], time.Time{}},
		{"none", later, later, 9, nil, time.Time{}},
	}
	for _, row := range rows {
		got, next, err := books.Waiting(t.Context(), order.StatusPending, row.after, row.before, row.limit)
		if err != nil {
			t.Fatal(err)
		}
		if !next.Equal(row.next) {
			t.Errorf("%s: next is %v, want %v", row.name, next, row.next)
		}
		if diff := cmp.Diff(row.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestEventStreamIsCapped holds the stream to its bound.
func TestEventStreamIsCapped(t *testing.T) {
	books := open(t)
	script := redis.NewScript("for i = 1, 101000 do redis.call('XADD', KEYS[1], '*', 'id', 'x', 'seq', i, 'status', 's') end")
	if err := script.Run(t.Context(), books.rdb, []string{"orders:{b0}:e"}).Err(); !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	books.do(t, accept(sample("o1")))
	if n := books.rdb.XLen(t.Context(), "orders:{b0}:e").Val(); n > 100_200 {
		t.Errorf("the stream holds %d events", n)
	}
}

// TestFullRedis holds that orders which a worker holds reach their outcome when
// the memory is full, while no new one is accepted.
func TestFullRedis(t *testing.T) {
	books := open(t)
	a := claim("o1", "a")
	b := claim("o1", "b")
	books.do(t, accept(sample("o1")))
	books.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	err := accept(sample("o2"))(t.Context(), books.Ledger)
	if !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("accept answered %v", err)
	}
	books.do(t, begin(a), fail(a), begin(b), settle(b, completed()))
}

// TestRedisAway holds that a Redis that is gone or hangs is reported as such,
// within the caller's time.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(*redistest.Server){
		"killed": (*redistest.Server).Kill, "frozen": (*redistest.Server).Freeze,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			l := ledger.New(server.Client())
			away(server)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, _, err := l.Accept(ctx, sample("o1"), order.QueueDefault)
			if !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("accept answered %v", err)
			}
			_, err = l.Totals(ctx)
			if !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("totals answered %v", err)
			}
		})
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
	doc := books.rdb.HGet(t.Context(), "orders:{b0}:o:done0", "d").Val()
	books.rdb.HSet(t.Context(), "orders:{b0}:o:done0", "d", "{")
	now := books.rdb.Time(t.Context()).Val()
	n, err := books.Forget(t.Context(), now, 100)
	if err == nil || !strings.Contains(err.Error(), "order done0") || n != 200 {
		t.Errorf("forgot %d, %v", n, err)
	}
	if _, err := books.Get(t.Context(), "failed"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("the failed order is still there: %v", err)
	}
	books.rdb.HSet(t.Context(), "orders:{b0}:o:done0", "d", doc)
}

// TestMemory holds the reading of the memory to what Redis is told.
func TestMemory(t *testing.T) {
	books := open(t)
	if used, limit, err := books.Memory(t.Context()); used < 100_000 || limit != 0 || err != nil {
		t.Errorf("used %d of %d, %v", used, limit, err)
	}
	books.rdb.ConfigSet(t.Context(), "maxmemory", "64mb")
	if _, limit, err := books.Memory(t.Context()); limit != 64<<20 || err != nil {
		t.Errorf("the limit is %d, %v", limit, err)
	}
}

// TestSettings holds the reading of the settings to what Redis is told.
func TestSettings(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "allkeys-lru").Client()
	got, err := ledger.New(rdb).Settings(t.Context())
	if err != nil || got.Version == "" {
		t.Fatalf("settings %+v, %v", got, err)
	}
	got.Version = ""
	want := ledger.Settings{EvictionPolicy: "allkeys-lru", AppendOnly: true, AppendFsync: "always"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}
