package ledgertest_test

import (
	"context"
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

// keep books with one order of each kind.
func keep(t *testing.T) *redis.Client {
	t.Helper()
	rdb := redistest.Start(t).Client()
	l := ledger.New(rdb)
	for _, id := range []string{"pending", "processing", "retrying", "completed"} {
		if _, _, err := l.Accept(t.Context(), ordertest.Order(t, ordertest.WithID(id)), order.QueueDefault); err != nil {
			t.Fatal(err)
		}
		if id == "pending" {
			continue
		}
		c := order.Claim{ID: id, Token: "a", Worker: "w", Handling: order.HandlingStandard, MaxAttempts: 3}
		if _, err := l.Begin(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		var err error
		switch id {
		case "retrying":
			err = l.Fail(t.Context(), c, "busy", "", time.Minute)
		case "completed":
			err = l.Settle(t.Context(), c, order.Outcome{Status: order.StatusCompleted})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return rdb
}

// TestAudit falsifies the books in one way each, and wants the auditor to see
// it.
func TestAudit(t *testing.T) {
	t.Parallel()
	const book = "orders:{b0}:"
	record := func(id string) string { return book + "o:" + id }
	rows := []struct {
		name    string
		forge   func(ctx context.Context, rdb *redis.Client)
		noticed string // part of a problem; empty for books that balance
	}{
		{"nothing", func(context.Context, *redis.Client) {}, ""},
		{"an order accepted twice", func(ctx context.Context, rdb *redis.Client) {
			rdb.HIncrBy(ctx, book+"c", "accepted", 1)
		}, "the statuses add up to"},
		{"an outcome counted twice", func(ctx context.Context, rdb *redis.Client) {
			rdb.HIncrBy(ctx, book+"c", "g:completed", 1)
		}, "the statuses add up to"},
		{"two gauges that cancel out", func(ctx context.Context, rdb *redis.Client) {
			rdb.HIncrBy(ctx, book+"c", "g:pending", 1)
			rdb.HIncrBy(ctx, book+"c", "g:completed", -1)
		}, "are counted as pending"},
		{"a lost record", func(ctx context.Context, rdb *redis.Client) { rdb.Del(ctx, record("pending")) }, "holds order pending"},
		{"a lost index entry", func(ctx context.Context, rdb *redis.Client) {
			rdb.ZRem(ctx, book+"s:retrying", "retrying")
		}, "its index says"},
		{"two index entries", func(ctx context.Context, rdb *redis.Client) {
			rdb.ZAdd(ctx, book+"s:failed", redis.Z{Score: 1, Member: "completed"})
		}, "index failed holds order completed"},
		{"a wrong time in an index", func(ctx context.Context, rdb *redis.Client) {
			rdb.ZIncrBy(ctx, book+"s:pending", 1, "pending")
		}, "its index says"},
		{"an unknown status", func(ctx context.Context, rdb *redis.Client) {
			rdb.HSet(ctx, record("pending"), "s", "lost")
		}, "unknown status"},
		{"an outcome without a time", func(ctx context.Context, rdb *redis.Client) {
			rdb.HDel(ctx, record("completed"), "z")
		}, "settled time"},
		{"a retrying order that is never due", func(ctx context.Context, rdb *redis.Client) {
			rdb.HDel(ctx, record("retrying"), "x")
		}, "next attempt"},
		{"an attempt left open", func(ctx context.Context, rdb *redis.Client) {
			rdb.HSet(ctx, record("completed"), "b", "1")
		}, "open attempt"},
		{"an attempt too many", func(ctx context.Context, rdb *redis.Client) {
			rdb.HSet(ctx, record("completed"), "a2", "w\t1\t2\t\t")
		}, "has 1 attempts and a field a2"},
		{"a garbled attempt", func(ctx context.Context, rdb *redis.Client) {
			rdb.HSet(ctx, record("completed"), "a1", "w")
		}, "has attempt 1 as"},
		{"attempts not counted", func(ctx context.Context, rdb *redis.Client) {
			rdb.HIncrBy(ctx, book+"c", "attempts", -1)
		}, "attempts are counted"},
		{"a duration too many", func(ctx context.Context, rdb *redis.Client) {
			rdb.HIncrBy(ctx, book+"c", "l:end_to_end:default:3", 1)
		}, "durations observed"},
		{"a lost event", func(ctx context.Context, rdb *redis.Client) {
			first := rdb.XRange(ctx, book+"e", "-", "+").Val()[4]
			rdb.XDel(ctx, book+"e", first.ID)
		}, "event"},
		{"a strange key", func(ctx context.Context, rdb *redis.Client) { rdb.Set(ctx, book+"q:1", 1, 0) }, "none of the books'"},
		{"a customer's order lost", func(ctx context.Context, rdb *redis.Client) {
			for _, key := range rdb.Keys(ctx, book+"u:*").Val() {
				rdb.ZRem(ctx, key, "pending")
			}
		}, "its customer's index says"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			rdb := keep(t)
			row.forge(t.Context(), rdb)
			problems, err := ledgertest.Audit(t.Context(), rdb)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(problems, "\n")
			if (row.noticed == "") != (all == "") || !strings.Contains(all, row.noticed) {
				t.Errorf("the auditor says %q, want %q in it", all, row.noticed)
			}
		})
	}
}
