package ledger_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// TestRefusedCommand checks that an update whose script may not run one of its commands
// writes nothing, whichever command that is.
func TestRefusedCommand(t *testing.T) {
	t.Parallel()
	a := claim("o1", "a")
	updates := map[string]struct {
		before []step
		update step
	}{
		"accept": {nil, accept(sample("o1"))},
		"begin":  {accepted(), begin(a)},
		"fail":   {accepted(begin(a)), fail(a)},
		"settle": {accepted(begin(a)), settle(a, completed())},
		"cancel": {accepted(), cancel("o1", "why")},
		"lost":   {accepted(begin(a)), lost("o1", 1)},
		"retry":  {refuse(a), retry("o1", "r")},
		"forget": {refuse(a), forget()},
	}
	for name, row := range updates {
		for _, command := range []string{"hset", "hdel", "hgetall", "hmget", "zadd", "zrem", "xadd"} {
			t.Run(name+" without "+command, func(t *testing.T) {
				b := newBundle(t)
				if n, _ := b.rdb.Eval(t.Context(), "return redis.acl_check_cmd and 1 or 0", nil).Int(); n == 0 {
					t.Skip("skipped: this Redis, older than 7.0, does not report which commands a script may run")
				}
				b.do(t, row.before...)
				before := b.dump(t)
				if err := row.update.run(t.Context(), b.restricted(t, "-"+command)); err != nil {
					if diff := cmp.Diff(before, b.dump(t)); diff != "" {
						t.Errorf("it answered %v and changed the books (-before +after):\n%s", err, diff)
					}
				}
			})
		}
	}
}

// restricted returns a ledger whose user may run all commands, except for these rules.
func (b *bundle) restricted(t *testing.T, rules ...any) *ledger.Ledger {
	t.Helper()
	user := []any{"acl", "setuser", "orders", "on", ">secret", "allkeys", "allchannels", "+@all"}
	if err := b.rdb.Do(t.Context(), append(user, rules...)...).Err(); err != nil {
		t.Fatal(err)
	}
	opts, err := redis.ParseURL(b.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	opts.Username, opts.Password, opts.MaxRetries = "orders", "secret", -1
	c := redis.NewClient(opts)
	t.Cleanup(func() { _ = c.Close() })
	return ledger.New(c)
}

// TestBalance breaks indexes and gauges as a script that stops in its middle does, and in
// more ways. Balance corrects them from the records, and counts what it moved.
func TestBalance(t *testing.T) {
	t.Parallel()
	index, counters := ledgertest.IndexKey(""), ledgertest.CountersKey
	for name, row := range map[string]struct {
		damage    func(ctx context.Context, b *bundle)
		drift     bool
		reindexed int
	}{
		"nothing": {func(context.Context, *bundle) {}, false, 0},
		"an order is in no index": {func(ctx context.Context, b *bundle) {
			b.rdb.ZRem(ctx, index+"pending", "many1", "many2")
		}, true, 2},
		"an order is in two": {func(ctx context.Context, b *bundle) {
			b.rdb.ZAdd(ctx, index+"retrying", redis.Z{Score: 1, Member: "many1"})
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
			b.acceptMany(t, 230)
			gone := claim("gone", "g")
			b.do(t, accept(sample("gone")), begin(gone), settle(gone, completed()))
			b.do(t, forget())
			row.damage(t.Context(), b)
			drift, reindexed, err := b.Books()[0].Balance(t.Context())
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

// TestBalanceWithoutRights checks that the error names the missing right.
func TestBalanceWithoutRights(t *testing.T) {
	b := open(t)
	b.do(t, accept(sample("o1")))
	b.rdb.HIncrBy(t.Context(), ledgertest.CountersKey, "accepted", 1)
	_, _, err := b.restricted(t, "-scan").Books()[0].Balance(t.Context())
	if err == nil || !strings.Contains(err.Error(), "scan") {
		t.Errorf("answered %v", err)
	}
	if _, _, err := b.Books()[0].Balance(t.Context()); err != nil {
		t.Error(err)
	}
}
