package ledger_test

import (
	"errors"
	"fmt"
	"os"
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

// TestRecordTimes checks that the times of a record are those of Redis.
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

// TestHistogramBuckets checks that the buckets of the scripts have the bounds that readers
// use.
func TestHistogramBuckets(t *testing.T) {
	books := open(t)
	prelude, err := os.ReadFile("scripts/prelude.lua")
	if err != nil {
		t.Fatal(err)
	}
	observe := redis.NewScript("local entry_events = 1 " + string(prelude) + `
		reset()
		observe('queue_wait', 'default', tonumber(ARGV[3]))
		for n = 1, n_counts do
			counts[own_names[n]] = own_counts[n]
		end
		balance()
		return 0`)
	keys := []string{"counters", "events", "index:"}
	for i := range stats.Buckets {
		bound := stats.Bound(i).Microseconds()
		rounding := max(1, bound/1000) // bounds are no whole microseconds
		for us, want := range map[int64]int{bound - rounding: i, bound + rounding: min(i+1, stats.Buckets-1)} {
			books.rdb.Del(t.Context(), "counters")
			if err := observe.Run(t.Context(), books.rdb, keys, 1, "", us).Err(); err != nil {
				t.Fatal(err)
			}
			field := fmt.Sprintf("l:queue_wait:default:%d", want)
			if got := books.rdb.HGetAll(t.Context(), "counters").Val(); got[field] != "1" {
				t.Errorf("%d µs counted as %v, want bucket %d", us, got, want)
			}
		}
	}
}

// TestWaiting checks bounds and order of the listing.
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
		got, next, err := books.Books()[0].Waiting(t.Context(), order.StatusPending, row.after, row.before, row.limit)
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

// TestEventStreamIsCapped checks the bound of the stream.
func TestEventStreamIsCapped(t *testing.T) {
	books := open(t)
	script := redis.NewScript("for i = 1, 10200 do redis.call('XADD', KEYS[1], i .. '-0', 'e', i .. '-0\\tx\\t' .. i .. '\\ts\\t0\\t0\\t\\t') end")
	if err := script.Run(t.Context(), books.rdb, []string{ledgertest.EventsKey}).Err(); !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	books.do(t, accept(sample("o1")))
	if n := books.rdb.XLen(t.Context(), ledgertest.EventsKey).Val(); n > 10_120 {
		t.Errorf("the stream has %d entries", n)
	}
}

// TestMemory compares the memory that is read with the setting of Redis.
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

// TestSettings compares the settings that are read with those of Redis.
func TestSettings(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "allkeys-lru").Client()
	nodes, err := ledger.New(rdb).Settings(t.Context())
	if len(nodes) != 1 {
		t.Fatalf("the settings are %+v, %v", nodes, err)
	}
	got := nodes[0]
	got.Node = ""
	name := map[bool]string{true: "Valkey " + got.Valkey, false: got.Version}[got.Valkey != ""]
	if err != nil || got.Version == "" || got.Server() != name {
		t.Fatalf("settings %+v of %s, %v", got, got.Server(), err)
	}
	got.Version, got.Valkey = "", ""
	want := ledger.Settings{EvictionPolicy: "allkeys-lru", AppendOnly: true, AppendFsync: "always"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// TestSettled counts outcomes of every kind, and a retried order no longer.
func TestSettled(t *testing.T) {
	b := open(t)
	settled := func(want int64) {
		t.Helper()
		if n, err := b.Settled(t.Context()); n != want || err != nil {
			t.Errorf("%d are settled, %v, want %d", n, err, want)
		}
	}
	settled(0)
	a, c := claim("o1", "a"), claim("o3", "c")
	b.do(t, accept(sample("o1")), begin(a), settle(a, refused()))
	b.do(t, accept(sample("o2")), cancel("o2", ""), accept(sample("o3")), begin(c), settle(c, completed()))
	settled(3)
	b.do(t, retry("o1", "r"))
	settled(2)
}
