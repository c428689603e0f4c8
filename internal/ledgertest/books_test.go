package ledgertest_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/redistest"
)

// steps are what happens to the order of each kind after it is accepted.
func steps(l *ledger.Ledger) map[string][]func(context.Context, order.Claim) error {
	begin := func(ctx context.Context, c order.Claim) error {
		_, err := l.Begin(ctx, c)
		return err
	}
	fail := func(ctx context.Context, c order.Claim) error {
		return l.Fail(ctx, c, order.Failure{Error: "busy", RetryIn: time.Minute})
	}
	settle := func(s order.Status, reason string) func(context.Context, order.Claim) error {
		return func(ctx context.Context, c order.Claim) error {
			return l.Settle(ctx, c, order.Outcome{Status: s, Error: reason})
		}
	}
	cancel := func(ctx context.Context, c order.Claim) error {
		_, err := l.Cancel(ctx, c.ID, order.Intervention{Actor: "ops", Reason: "changed my mind"})
		return err
	}
	retry := func(ctx context.Context, c order.Claim) error {
		_, err := l.Retry(ctx, c.ID, "r1", order.Intervention{Actor: "ops"})
		return err
	}
	return map[string][]func(context.Context, order.Claim) error{
		"pending":    nil,
		"scheduled":  nil,
		"processing": {begin},
		"retrying":   {begin, fail},
		"completed":  {begin, settle(order.StatusCompleted, "")},
		"failed":     {begin, settle(order.StatusFailed, "refused")},
		"cancelled":  {begin, fail, cancel},
		"retried":    {begin, settle(order.StatusFailed, "refused"), retry},
	}
}

// openBooks returns books with one order of each kind.
func openBooks(t *testing.T) *redis.Client {
	t.Helper()
	rdb := redistest.Start(t).Client()
	l := ledger.New(rdb)
	kinds := steps(l)
	for _, id := range slices.Sorted(maps.Keys(kinds)) {
		o := ordertest.Order(t, ordertest.WithID(id))
		if id == "scheduled" {
			o.ProcessAt = time.Now().Add(time.Hour)
		}
		if _, _, err := ledgertest.Accept(t.Context(), l, o, order.QueueDefault); err != nil {
			t.Fatal(err)
		}
		c := order.Claim{ID: id, Token: "a", Worker: "w", Handling: order.HandlingStandard, MaxAttempts: 3}
		for _, do := range kinds[id] {
			if err := do(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	return rdb
}

// TestAudit falsifies the books in one way each, and checks that the audit finds it.
func TestAudit(t *testing.T) {
	t.Parallel()
	record := ledgertest.RecordKey
	// rewrite replaces a part of a field of a record.
	rewrite := func(id, field, old, forged string) func(ctx context.Context, rdb *redis.Client) {
		return func(ctx context.Context, rdb *redis.Client) {
			text := rdb.HGet(ctx, record(id), field).Val()
			if !strings.Contains(text, old) {
				t.Errorf("field %s of order %s is %q, without %q", field, id, text, old)
			}
			rdb.HSet(ctx, record(id), field, strings.Replace(text, old, forged, 1))
		}
	}
	set := func(id, field, value string) func(ctx context.Context, rdb *redis.Client) {
		return func(ctx context.Context, rdb *redis.Client) { rdb.HSet(ctx, record(id), field, value) }
	}
	drop := func(id, field string) func(ctx context.Context, rdb *redis.Client) {
		return func(ctx context.Context, rdb *redis.Client) { rdb.HDel(ctx, record(id), field) }
	}
	count := func(name string, n int64) func(ctx context.Context, rdb *redis.Client) {
		return func(ctx context.Context, rdb *redis.Client) { rdb.HIncrBy(ctx, ledgertest.CountersKey, name, n) }
	}
	// omit removes one event of an order from the stream.
	omit := func(id, seq string) func(ctx context.Context, rdb *redis.Client) {
		return func(ctx context.Context, rdb *redis.Client) {
			for _, e := range rdb.XRange(ctx, ledgertest.EventsKey, "-", "+").Val() {
				part := strings.Split(e.Values["e"].(string), "\t")
				if part[1] == id && part[2] == seq {
					rdb.XDel(ctx, ledgertest.EventsKey, e.ID)
				}
			}
		}
	}
	rows := []struct {
		name  string
		forge func(ctx context.Context, rdb *redis.Client)
		found string // part of a problem; empty for books that balance
	}{
		{"nothing", func(context.Context, *redis.Client) {}, ""},
		{"an order accepted twice", count("accepted", 1), "the statuses add up to"},
		{"an outcome counted twice", count("g:completed", 1), "the statuses add up to"},
		{"two gauges that cancel out", func(ctx context.Context, rdb *redis.Client) {
			rdb.HIncrBy(ctx, ledgertest.CountersKey, "g:pending", 1)
			rdb.HIncrBy(ctx, ledgertest.CountersKey, "g:completed", -1)
		}, "are counted as pending"},
		{"a lost record", func(ctx context.Context, rdb *redis.Client) { rdb.Del(ctx, record("pending")) }, "has order pending"},
		{"a lost index entry", func(ctx context.Context, rdb *redis.Client) {
			rdb.ZRem(ctx, ledgertest.IndexKey("retrying"), "retrying")
		}, "its index has the time"},
		{"two index entries", func(ctx context.Context, rdb *redis.Client) {
			rdb.ZAdd(ctx, ledgertest.IndexKey("failed"), redis.Z{Score: 1, Member: "completed"})
		}, "index failed has order completed"},
		{"a wrong time in an index", func(ctx context.Context, rdb *redis.Client) {
			rdb.ZIncrBy(ctx, ledgertest.IndexKey("pending"), 1, "pending")
		}, "its index has the time"},
		{"an unknown status", set("pending", "s", "lost"), "unknown status"},
		{"an outcome without a time", drop("completed", "z"), "settled time"},
		{"a retrying order that is never due", drop("retrying", "x"), "next attempt"},
		{"an attempt left open", set("completed", "a1", "w\t1"), "has attempt 1 as"},
		{"an attempt too many", set("completed", "a2", "w\t1\t2\t\t"), "has 1 attempts and a field a2"},
		{"a garbled attempt", set("completed", "a1", "w"), "has attempt 1 as"},
		{"attempts not counted", count("attempts", -1), "attempts are counted"},
		{"a duration too many", count("l:end_to_end:default:3", 1), "durations observed"},
		{"a duration too few", func(ctx context.Context, rdb *redis.Client) {
			for name := range rdb.HGetAll(ctx, ledgertest.CountersKey).Val() {
				if strings.HasPrefix(name, "l:end_to_end:") {
					rdb.HIncrBy(ctx, ledgertest.CountersKey, name, -1)
					return
				}
			}
		}, "durations observed"},
		{"a retry not counted", count("retried", -1), "were retried"},
		{"a lost event", omit("retrying", "2"), "event 3 of order retrying follows event 1"},
		{"a lost last event", omit("retrying", "3"), "in the stream it is processing at 2"},
		{"a lost last event that changed no status", func(ctx context.Context, rdb *redis.Client) {
			attemptOften(ctx, t, rdb, "processing", 2)
			omit("processing", "3")(ctx, rdb)
		}, "at event 3, in the stream it is processing at 2"},
		{"a status without an event", set("processing", "s", "expedited"), "is expedited at event 2, in the stream it is processing at 2"},
		{"the id of a forgotten order", func(ctx context.Context, rdb *redis.Client) {
			l := ledger.New(rdb)
			gone, err := l.Books()[0].Forget(ctx, rdb.Time(ctx).Val(), 10)
			if gone != 3 || err != nil {
				t.Errorf("forgot %d orders, %v", gone, err)
			}
			o := ordertest.Order(t, ordertest.WithID("completed"))
			if _, isNew, err := ledgertest.Accept(ctx, l, o, order.QueueDefault); !isNew || err != nil {
				t.Errorf("accepted %v, %v", isNew, err)
			}
		}, ""},
		{"a strange key", func(ctx context.Context, rdb *redis.Client) { rdb.Set(ctx, ledgertest.Book+"q:1", 1, 0) }, "is not a key of the books"},
		{"a customer's order lost", func(ctx context.Context, rdb *redis.Client) {
			for _, key := range rdb.Keys(ctx, ledgertest.CustomerKeys).Val() {
				rdb.ZRem(ctx, key, "pending")
			}
		}, "its customer's index has the time"},
		{"a cancelled order without a time", drop("cancelled", "z"), "order cancelled is cancelled with settled time"},
		{"a cancelled order that is due", set("cancelled", "x", "1"), "order cancelled is cancelled with next attempt"},
		{"a cancelled order with a claim", set("cancelled", "k", "a"), "still has the claim"},
		{"an order scheduled for no time", drop("scheduled", "u"), "was scheduled for no time"},
		{"more attempts before the retry than in all", set("retried", "m", "2"), "2 of them before its last retry"},
		{"an attempt kept for too long", func(ctx context.Context, rdb *redis.Client) {
			attemptOften(ctx, t, rdb, "processing", order.MaxAttemptsKept+1)
			rdb.HSet(ctx, record("processing"), "a1", "w\t1\t2\t\t", "m", "1")
		}, "and a field a1"},
		{"an attempt dropped too early", func(ctx context.Context, rdb *redis.Client) {
			attemptOften(ctx, t, rdb, "processing", order.MaxAttemptsKept+1)
			rdb.HDel(ctx, record("processing"), "a3")
		}, "has attempt 3 as"},
		{"the first attempt of a run dropped", func(ctx context.Context, rdb *redis.Client) {
			attemptOften(ctx, t, rdb, "processing", order.MaxAttemptsKept+1)
			rdb.HDel(ctx, record("processing"), "a1")
		}, "has attempt 1 as"},
		{"more attempts and events than are kept", func(ctx context.Context, rdb *redis.Client) {
			attemptOften(ctx, t, rdb, "processing", 2*order.MaxEvents)
		}, ""},
		{"a lost timeline", drop("pending", "t"), "has timeline"},
		{"a garbled timeline", rewrite("retrying", "t", "\tbusy", ""), "has timeline"},
		{"a line lost from a timeline", rewrite("retrying", "t", "\nw\t", "\t"), "has timeline"},
		{"a timeline that begins too late", rewrite("retrying", "t", "p\t", "w\t"), "begins its timeline as processing"},
		{"a timeline that does not reach the status", func(ctx context.Context, rdb *redis.Client) {
			lines := strings.Split(rdb.HGet(ctx, record("retrying"), "t").Val(), "\n")
			rdb.HSet(ctx, record("retrying"), "t", strings.Join(lines[:2], "\n"))
		}, "its timeline ends with processing"},
		{"a timeline shorter than its sequence", func(ctx context.Context, rdb *redis.Client) {
			lines := strings.Split(rdb.HGet(ctx, record("retrying"), "t").Val(), "\n")
			rdb.HSet(ctx, record("retrying"), "t", lines[0]+"\n"+lines[2])
		}, "has 2 lines in its timeline"},
		{"a timeline longer than its sequence", set("retrying", "v", "1"), "has 3 lines in its timeline"},
		{"a timeline with another event id", rewrite("pending", "t", "-", "-9"), "the stream has"},
		{"a timeline with another status", rewrite("failed", "t", "w", "expedited"), "the stream has"},
		{"a timeline with another reason", rewrite("failed", "t", "refused", "unknown"), "the stream has"},
		{"a timeline with an event of its own", omit("pending", "1"), "the stream lacks it"},
		{"a stream that has dropped old events", func(ctx context.Context, rdb *redis.Client) {
			rdb.XTrimMaxLen(ctx, ledgertest.EventsKey, 3)
		}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			rdb := openBooks(t)
			row.forge(t.Context(), rdb)
			problems, err := ledgertest.Audit(t.Context(), rdb)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(problems, "\n")
			if (row.found == "") != (all == "") || !strings.Contains(all, row.found) {
				t.Errorf("the audit found %q, want %q in it", all, row.found)
			}
		})
	}
}

// attemptOften begins an order that is being worked until it has had so many
// attempts, as if each worker were lost.
func attemptOften(ctx context.Context, t *testing.T, rdb *redis.Client, id string, attempts int) {
	t.Helper()
	for n := 2; n <= attempts; n++ {
		c := order.Claim{ID: id, Token: strconv.Itoa(n), Worker: "w", Handling: order.HandlingStandard, MaxAttempts: attempts}
		if _, err := ledger.New(rdb).Begin(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
}
