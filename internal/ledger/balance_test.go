package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// TestRefusedCommand holds that a change whose script may not run one of its commands
// writes nothing, whichever command that is.
func TestRefusedCommand(t *testing.T) {
	t.Parallel()
	accepted := []step{accept(sample("o1"))}
	running := append(slices.Clone(accepted), begin(claim("o1", "a")))
	over := append(slices.Clone(running), settle(claim("o1", "a"), order.Outcome{Status: order.StatusFailed, Error: "no"}))
	changes := map[string]struct {
		before []step
		change step
	}{
		"accept": {nil, accept(sample("o1"))},
		"begin":  {accepted, begin(claim("o1", "a"))},
		"fail":   {running, fail(claim("o1", "a"))},
		"settle": {running, settle(claim("o1", "a"), completed())},
		"cancel": {accepted, cancel("o1", "why")},
		"lost":   {running, lost("o1", 1)},
		"retry":  {over, retry("o1", "r")},
		"forget": {over, func(ctx context.Context, l *ledger.Ledger) error {
			_, err := l.Forget(ctx, time.Now().Add(time.Hour), 10)
			return err
		}},
	}
	for name, row := range changes {
		for _, command := range []string{"hset", "hdel", "hgetall", "hmget", "zadd", "zrem", "xadd"} {
			t.Run(name+" without "+command, func(t *testing.T) {
				b := newBundle(t)
				if n, _ := b.rdb.Eval(t.Context(), "return redis.acl_check_cmd and 1 or 0", nil).Int(); n == 0 {
					t.Skip("skipped: this Redis, older than 7.0, does not say which commands a script may run")
				}
				b.do(t, row.before...)
				before := b.dump(t)
				limited := b.limited(t, command)
				if err := row.change(t.Context(), ledger.New(limited)); err != nil {
					if keys := differing(before, b.dump(t)); len(keys) > 0 {
						t.Errorf("it answered %v and changed %q", err, keys)
					}
				}
			})
		}
	}
}

// limited is a client whose user may run all commands but one.
func (b *bundle) limited(t *testing.T, command string) *redis.Client {
	t.Helper()
	if err := b.rdb.Do(t.Context(), "ACL", "SETUSER", "limited", "on", "nopass", "~*", "&*", "+@all", "-"+command).Err(); err != nil {
		t.Fatal(err)
	}
	opts, err := redis.ParseURL(b.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	opts.Username, opts.Password, opts.MaxRetries = "limited", "any", -1
	c := redis.NewClient(opts)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestBalance breaks indexes and gauges in the ways in which a script that stops in its
// middle leaves them, and more; Balance makes them right from the records, and counts
// what it moved. CheckBooks looks at the end.
func TestBalance(t *testing.T) {
	t.Parallel()
	index, counters := ledgertest.IndexKey(""), ledgertest.CountersKey
	for name, row := range map[string]struct {
		harm      func(ctx context.Context, b *bundle)
		drift     bool
		reindexed int
	}{
		"nothing": {func(context.Context, *bundle) {}, false, 0},
		"an order is in no index": {func(ctx context.Context, b *bundle) {
			b.rdb.ZRem(ctx, index+"pending", "o1", "o2")
		}, true, 2},
		"an order is in two": {func(ctx context.Context, b *bundle) {
			b.rdb.ZAdd(ctx, index+"retrying", redis.Z{Score: 1, Member: "o1"})
		}, true, 1},
		"gauges are off": {func(ctx context.Context, b *bundle) {
			b.rdb.HIncrBy(ctx, counters, "g:pending", 7)
			b.rdb.HIncrBy(ctx, counters, "g:completed", -1)
		}, true, 0},
		"accepted orders are not counted": {func(ctx context.Context, b *bundle) {
			b.rdb.HIncrBy(ctx, counters, "accepted", -3)
		}, true, 0},
		"all indexes and gauges are gone": {func(ctx context.Context, b *bundle) {
			for _, s := range order.Statuses() {
				b.rdb.Del(ctx, index+string(s))
				b.rdb.HDel(ctx, counters, "g:"+string(s))
			}
		}, true, 230},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t)
			for n := range 230 {
				b.do(t, accept(sample(fmt.Sprint("o", n))))
			}
			gone := claim("gone", "g")
			b.do(t, accept(sample("gone")), begin(gone), settle(gone, completed()))
			if n, err := b.Forget(t.Context(), time.Now().Add(time.Hour), 10); n != 1 || err != nil {
				t.Fatalf("forgot %d, %v", n, err)
			}
			row.harm(t.Context(), b)
			drift, reindexed, err := b.Balance(t.Context())
			if err != nil || reindexed != row.reindexed || (drift != 0) != row.drift {
				t.Errorf("drift %d, %d reindexed, %v", drift, reindexed, err)
			}
			totals, err := b.Totals(t.Context())
			if err != nil || totals.Drift() != 0 || totals.Accepted != 231 || totals.ByStatus[order.StatusCompleted] != 1 {
				t.Errorf("%v: drift %d of %d accepted orders, %d completed", err, totals.Drift(), totals.Accepted, totals.ByStatus[order.StatusCompleted])
			}
		})
	}
}

// TestBalanceWithoutRights says what is missing.
func TestBalanceWithoutRights(t *testing.T) {
	b := open(t)
	b.do(t, accept(sample("o1")))
	b.rdb.HIncrBy(t.Context(), ledgertest.CountersKey, "accepted", 1)
	_, _, err := ledger.New(b.limited(t, "scan")).Balance(t.Context())
	if err == nil || !strings.Contains(err.Error(), "scan") {
		t.Errorf("answered %v", err)
	}
	if _, _, err := b.Balance(t.Context()); err != nil {
		t.Error(err)
	}
}
