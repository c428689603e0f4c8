package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// grouping is a bundle with a second ledger, whose callers travel together as the
// test wants.
type grouping struct {
	*bundle
	grouped *ledger.Ledger
	gate    *gate
	breaker *redistest.Breaker
}

func group(t *testing.T) *grouping {
	t.Helper()
	g := &grouping{bundle: open(t), gate: &gate{}, breaker: &redistest.Breaker{}}
	client := g.server.Client()
	client.AddHook(g.gate)
	client.AddHook(g.breaker)
	g.grouped = ledger.New(client)
	return g
}

// gate is a go-redis hook that counts the journeys of scripts and records, and holds
// one back on demand.
type gate struct {
	journeys atomic.Int32
	barrier  atomic.Pointer[barrier]
}

// barrier is where one journey waits.
type barrier struct{ reached, opened chan struct{} }

// shut holds the next journey back until the barrier is opened.
func (g *gate) shut() *barrier {
	b := &barrier{make(chan struct{}), make(chan struct{})}
	g.barrier.Store(b)
	return b
}

// pass does not count the greeting of a new connection, and a script once whose source
// Redis asks for.
func (g *gate) pass(cmd redis.Cmder, travel func() error) error {
	if name := cmd.Name(); name != "evalsha" && name != "eval" && name != "hgetall" {
		return travel()
	}
	if b := g.barrier.Swap(nil); b != nil {
		close(b.reached)
		<-b.opened
	}
	err := travel()
	if !redis.HasErrorPrefix(err, "NOSCRIPT") {
		g.journeys.Add(1)
	}
	return err
}

func (*gate) DialHook(next redis.DialHook) redis.DialHook { return next }

func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return g.pass(cmd, func() error { return next(ctx, cmd) })
	}
}

func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return g.pass(cmds[0], func() error { return next(ctx, cmds) })
	}
}

// arriving is a context that tells when its caller begins to wait for its group.
type arriving struct {
	context.Context
	once    *sync.Once
	arrived chan struct{}
}

func (a arriving) Done() <-chan struct{} {
	a.once.Do(func() { close(a.arrived) })
	return a.Context.Done()
}

// call is a change with what it answers.
type call func(ctx context.Context, l *ledger.Ledger) (any, error)

// told is what a caller hears.
type told struct {
	Answer any
	Err    string // empty for none
}

func hear(answer any, err error) told {
	if err != nil {
		return told{answer, err.Error()}
	}
	return told{answer, ""}
}

// together has all calls travel at once, in turn, behind a call of their kind for an
// order that nobody knows.
func (g *grouping) together(t *testing.T, first call, calls ...call) []told {
	t.Helper()
	before := g.gate.journeys.Load()
	shut := g.gate.shut()
	var all sync.WaitGroup
	all.Go(func() { _, _ = first(t.Context(), g.grouped) })
	<-shut.reached
	heard := make([]told, len(calls))
	for i, c := range calls {
		own := arriving{t.Context(), &sync.Once{}, make(chan struct{})}
		all.Go(func() { heard[i] = hear(c(own, g.grouped)) })
		<-own.arrived
	}
	close(shut.opened)
	all.Wait()
	if n := g.gate.journeys.Load() - before; n != 2 {
		t.Errorf("%d calls travelled in %d journeys behind the first", len(calls), n-1)
	}
	return heard
}

// alone makes the calls one after the other.
func (g *grouping) alone(t *testing.T, calls ...call) []told {
	t.Helper()
	heard := make([]told, len(calls))
	for i, c := range calls {
		heard[i] = hear(c(t.Context(), g.Ledger))
	}
	return heard
}

// pages is what the books say of these orders, and in all.
func (g *grouping) pages(t *testing.T, ids ...string) []any {
	t.Helper()
	all := []any{g.state(t)}
	for _, id := range ids {
		all = append(all, g.get(t, id), g.events(t, id))
	}
	return all
}

// The changes, as calls.

func beginning(id, token string) call {
	return func(ctx context.Context, l *ledger.Ledger) (any, error) { return l.Begin(ctx, claim(id, token)) }
}

func failing(id, token string) call { return answerless(fail(claim(id, token))) }

func settling(id, token string, out order.Outcome) call {
	return answerless(settle(claim(id, token), out))
}

func cancelling(id, reason string) call {
	return func(ctx context.Context, l *ledger.Ledger) (any, error) { return l.Cancel(ctx, id, reason) }
}

func retrying(id, token string) call {
	return func(ctx context.Context, l *ledger.Ledger) (any, error) { return l.Retry(ctx, id, token) }
}

func losing(id string, attempt int) call {
	return func(ctx context.Context, l *ledger.Ledger) (any, error) { return l.Lost(ctx, id, seen(attempt)) }
}

func requeuing(id, token string) call {
	return func(ctx context.Context, l *ledger.Ledger) (any, error) { return l.Requeued(ctx, id, token) }
}

func getting(id string) call {
	return func(ctx context.Context, l *ledger.Ledger) (any, error) { return l.Get(ctx, id) }
}

func answerless(s step) call {
	return func(ctx context.Context, l *ledger.Ledger) (any, error) { return nil, s(ctx, l) }
}

func outOfStock() order.Outcome {
	return order.Outcome{Status: order.StatusFailed, Error: "out of stock"}
}

// TestGroup holds that changes of many orders which come at the same time travel in
// one script, and that each has the answer and the effect that it has alone.
func TestGroup(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before func(id string) []step
		change func(id string) call
	}{
		{"begin", nil, func(id string) call { return beginning(id, "a") }},
		{"fail", func(id string) []step { return []step{begin(claim(id, "a"))} }, func(id string) call { return failing(id, "a") }},
		{"settle", func(id string) []step { return []step{begin(claim(id, "a"))} }, func(id string) call { return settling(id, "a", completed()) }},
		{"cancel", nil, func(id string) call { return cancelling(id, "changed my mind") }},
		{"retry", func(id string) []step {
			return []step{begin(claim(id, "a")), settle(claim(id, "a"), outOfStock())}
		}, func(id string) call { return retrying(id, "r1") }},
		{"lost", func(id string) []step { return []step{begin(claim(id, "a"))} }, func(id string) call { return losing(id, 1) }},
		{"requeued", nil, func(id string) call { return requeuing(id, "r1") }},
		{"get", nil, getting},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			grouped, single := group(t), &grouping{bundle: newBundle(t)}
			var ids []string
			var calls []call
			for n := range 20 {
				id := fmt.Sprint("o", n)
				ids, calls = append(ids, id), append(calls, row.change(id))
				for _, b := range []*bundle{grouped.bundle, single.bundle} {
					b.do(t, accept(sample(id)))
					if row.before != nil {
						b.do(t, row.before(id)...)
					}
				}
			}
			want := single.alone(t, calls...)
			if diff := cmp.Diff(want, grouped.together(t, row.change("nobody"), calls...), ignoreTimes); diff != "" {
				t.Errorf("answers (-alone +together):\n%s", diff)
			}
			if diff := cmp.Diff(single.pages(t, ids...), grouped.pages(t, ids...), ignoreTimes); diff != "" {
				t.Errorf("the books say (-alone +together):\n%s", diff)
			}
		})
	}
}

// TestGroupOfOneOrder holds that changes of the same order which travel together are
// made one after the other.
func TestGroupOfOneOrder(t *testing.T) {
	t.Parallel()
	begun := []step{begin(claim("o1", "a"))}
	refused := append(begun, settle(claim("o1", "a"), outOfStock()))
	rows := []struct {
		name   string
		before []step
		first  call // for an order that nobody knows
		calls  []call
	}{
		{"two deliveries begin", nil, beginning("nobody", "a"), []call{beginning("o1", "a"), beginning("o1", "b")}},
		{"one delivery begins twice", nil, beginning("nobody", "a"), []call{beginning("o1", "a"), beginning("o1", "a")}},
		{
			"more begin than may", nil, beginning("nobody", "a"),
			[]call{beginning("o1", "a"), beginning("o1", "b"), beginning("o1", "c"), beginning("o1", "d"), beginning("o2", "a")},
		},
		{"settled twice by one", begun, settling("nobody", "a", completed()), []call{
			settling("o1", "a", completed()), settling("o1", "a", completed()),
		}},
		{"settled by one, then by another", begun, settling("nobody", "a", completed()), []call{
			settling("o1", "a", completed()), settling("o1", "b", outOfStock()),
		}},
		{"settled by an old one, then by its holder", begun, settling("nobody", "a", completed()), []call{
			settling("o1", "b", outOfStock()), settling("o2", "a", completed()), settling("o1", "a", completed()),
		}},
		{"failed twice", begun, failing("nobody", "a"), []call{failing("o1", "a"), failing("o1", "a")}},
		{"cancelled for two reasons", nil, cancelling("nobody", ""), []call{cancelling("o1", "first"), cancelling("o1", "second")}},
		{"retried twice by one", refused, retrying("nobody", "r1"), []call{retrying("o1", "r1"), retrying("o1", "r1")}},
		{"retried by two", refused, retrying("nobody", "r1"), []call{retrying("o1", "r1"), retrying("o1", "r2")}},
		{"lost twice", begun, losing("nobody", 1), []call{losing("o1", 1), losing("o1", 1)}},
		{"requeued twice", nil, requeuing("nobody", "r1"), []call{requeuing("o1", "r1"), requeuing("o1", "r1"), requeuing("o1", "r2")}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			grouped, single := group(t), &grouping{bundle: newBundle(t)}
			for _, b := range []*bundle{grouped.bundle, single.bundle} {
				b.do(t, accept(sample("o1")), accept(sample("o2")), begin(claim("o2", "a")))
				b.do(t, row.before...)
			}
			want := single.alone(t, row.calls...)
			if diff := cmp.Diff(want, grouped.together(t, row.first, row.calls...), ignoreTimes); diff != "" {
				t.Errorf("answers (-alone +together):\n%s", diff)
			}
			if diff := cmp.Diff(single.pages(t), grouped.pages(t), ignoreTimes); diff != "" {
				t.Errorf("the books say (-alone +together):\n%s", diff)
			}
		})
	}
}

// TestGroupWithADamagedOrder holds that an order whose record cannot be read fails
// alone, wherever it stands among others.
func TestGroupWithADamagedOrder(t *testing.T) {
	t.Parallel()
	const damaged = "orders:{b0}:o:damaged"
	for _, place := range []int{0, 2, 4} {
		for name, change := range map[string]func(id string) call{
			"begin": func(id string) call { return beginning(id, "a") },
			"get":   getting,
		} {
			t.Run(fmt.Sprintf("%s, place %d", name, place), func(t *testing.T) {
				g := group(t)
				g.rdb.Set(t.Context(), damaged, "not a record", 0)
				t.Cleanup(func() { g.rdb.Del(context.Background(), damaged) })
				calls := make([]call, 5)
				for i := range calls {
					id := fmt.Sprint("o", i)
					if i == place {
						id = "damaged"
					} else {
						g.do(t, accept(sample(id)))
					}
					calls[i] = change(id)
				}
				for i, heard := range g.together(t, change("nobody"), calls...) {
					if bad := strings.Contains(heard.Err, "WRONGTYPE"); bad != (i == place) || bad != (heard.Err != "") {
						t.Errorf("call %d was told %+v", i, heard)
					}
				}
				for i := range calls {
					if id := fmt.Sprint("o", i); i != place && name == "begin" && g.get(t, id).Status != order.StatusProcessing {
						t.Errorf("order %s is %s", id, g.get(t, id).Status)
					}
				}
			})
		}
	}
}

// TestGroupWithADamagedIndex holds that of many new orders only those fail whose
// customer's index is no index, and that nothing of them is in the books.
func TestGroupWithADamagedIndex(t *testing.T) {
	b := open(t)
	b.do(t, accept(of("grace", sample("before"))))
	index := ""
	for _, key := range b.rdb.Keys(t.Context(), "orders:{b0}:u:*").Val() {
		index = key
	}
	if err := b.rdb.Rename(t.Context(), index, "kept").Err(); err != nil {
		t.Fatal(err)
	}
	b.rdb.Set(t.Context(), index, "not an index", 0)
	answers, err := b.AcceptAll(t.Context(), entries(sample("o1"), of("grace", sample("o2")), sample("o3")))
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if failed := a.Err != nil; failed != (i == 1) || a.IsNew == failed {
			t.Errorf("order %d: %+v", i+1, a)
		}
	}
	if _, err := b.Get(t.Context(), "o2"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("the refused order: %v", err)
	}
	b.rdb.Rename(t.Context(), "kept", index)
}

// TestGroupFaults breaks the script of a group in both ways a network can. All its
// callers hear of it, and when they come again the books are as if nothing had been.
func TestGroupFaults(t *testing.T) {
	t.Parallel()
	before := []step{accept(sample("o1")), accept(sample("o2")), begin(claim("o1", "a")), begin(claim("o2", "a"))}
	rows := []struct {
		name  string
		first call
		calls []call
	}{
		{"settle", settling("nobody", "a", completed()), []call{
			settling("o1", "a", completed()), settling("o2", "a", outOfStock()), settling("o1", "a", completed()),
		}},
		{"fail", failing("nobody", "a"), []call{failing("o1", "a"), failing("o2", "a")}},
		{"begin", beginning("nobody", "a"), []call{beginning("o1", "b"), beginning("o2", "b")}},
	}
	for _, row := range rows {
		for _, fault := range redistest.Faults() {
			t.Run(row.name+"/"+fault.String(), func(t *testing.T) {
				grouped, single := group(t), &grouping{bundle: newBundle(t)}
				grouped.do(t, before...)
				single.do(t, before...)
				want := single.alone(t, row.calls...)
				grouped.breaker.Break(fault, redistest.Script("orders:{b0}:o:o1"))
				for i, heard := range grouped.together(t, row.first, row.calls...) {
					if !strings.Contains(heard.Err, order.ErrUnavailable.Error()) {
						t.Errorf("call %d was told %+v", i, heard)
					}
				}
				if grouped.breaker.Fired() != 1 {
					t.Fatalf("%d scripts were broken", grouped.breaker.Fired())
				}
				if diff := cmp.Diff(want, grouped.together(t, row.first, row.calls...), ignoreTimes); diff != "" {
					t.Errorf("the repeat was answered (-alone +together):\n%s", diff)
				}
				if diff := cmp.Diff(single.pages(t), grouped.pages(t), ignoreTimes); diff != "" {
					t.Errorf("the books say (-alone +together):\n%s", diff)
				}
			})
		}
	}
}

// TestGroupOnAFullRedis holds that a group of known orders is changed when memory is
// full, and that of a batch only the orders fail which are new.
func TestGroupOnAFullRedis(t *testing.T) {
	g := group(t)
	g.do(t, accept(sample("o1")), accept(sample("o2")), accept(sample("o3")))
	g.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	for i, heard := range append(
		g.together(t, beginning("nobody", "a"), beginning("o1", "a"), beginning("o2", "a"), beginning("o3", "a")),
		g.together(t, settling("nobody", "a", completed()), settling("o1", "a", completed()), settling("o2", "a", completed()))...,
	) {
		if heard.Err != "" {
			t.Errorf("change %d was told %+v", i, heard)
		}
	}
	answers, err := g.AcceptAll(t.Context(), entries(sample("o1"), sample("new"), sample("o3"), sample("newer")))
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if isNew := i%2 == 1; isNew != errors.Is(a.Err, order.ErrUnavailable) || a.IsNew || !isNew && a.Record.ID == "" {
			t.Errorf("order %d: %+v", i+1, a)
		}
	}
	if n := g.totals(t).Accepted; n != 3 {
		t.Errorf("%d orders are accepted", n)
	}
}

// number is the id of an event as two numbers, to compare.
func number(t *testing.T, id string) (n [2]int64) {
	t.Helper()
	if _, err := fmt.Sscanf(id, "%d-%d", &n[0], &n[1]); err != nil {
		t.Fatalf("event id %q: %v", id, err)
	}
	return n
}

func later(a, b [2]int64) bool { return a[0] > b[0] || a[0] == b[0] && a[1] > b[1] }

// TestGroupEvents holds that the events of a group are in the stream in turn, with
// ids that increase even when the clock has gone back, and that whoever reads on
// after any of them finds all that came later and nothing twice.
func TestGroupEvents(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, g *grouping){
		"the clock goes on": func(*testing.T, *grouping) {},
		"the clock has gone back": func(t *testing.T, g *grouping) {
			t.Helper()
			if err := g.rdb.Do(t.Context(), "XSETID", "orders:{b0}:e", "9999999999999-7").Err(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := group(t)
			var begins, settles []call
			var want []string
			for n := range 12 {
				id := fmt.Sprint("o", n)
				g.do(t, accept(sample(id)))
				begins, settles = append(begins, beginning(id, "a")), append(settles, settling(id, "a", completed()))
				want = append(want, id)
			}
			prepare(t, g)
			before := g.rdb.XLen(t.Context(), "orders:{b0}:e").Val()
			g.together(t, beginning("nobody", "a"), begins...)
			g.together(t, settling("nobody", "a", completed()), settles...)
			if n := g.rdb.XLen(t.Context(), "orders:{b0}:e").Val() - before; n != 2 {
				t.Errorf("two groups added %d entries", n)
			}
			events := g.stream(t)
			var got []string
			for i, e := range events {
				got = append(got, e.Order)
				if i > 0 && !later(number(t, e.ID), number(t, events[i-1].ID)) {
					t.Errorf("event %s follows %s", e.ID, events[i-1].ID)
				}
			}
			if diff := cmp.Diff(append(append(want, want...), want...), got); diff != "" {
				t.Errorf("orders of the events (-want +got):\n%s", diff)
			}
			for i, e := range events {
				g.checkReadOn(t, e, events[i+1:])
			}
		})
	}
}

// checkReadOn reads the stream on after an event, as any reader would.
func (g *grouping) checkReadOn(t *testing.T, after ledgertest.Event, want []ledgertest.Event) {
	t.Helper()
	streams, err := g.rdb.XRead(t.Context(), &redis.XReadArgs{Streams: []string{"orders:{b0}:e", after.ID}, Block: -1}).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	var wanted, got []string
	for _, e := range want {
		wanted = append(wanted, e.ID)
	}
	for _, s := range streams {
		for _, entry := range s.Messages {
			for line := range strings.Lines(entry.Values["e"].(string)) {
				if id, _, _ := strings.Cut(line, "\t"); later(number(t, id), number(t, after.ID)) {
					got = append(got, id)
				}
			}
			if !later(number(t, entry.ID), number(t, after.ID)) {
				t.Errorf("after %s, entry %s was read again", after.ID, entry.ID)
			}
		}
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("read on after %s (-want +got):\n%s", after.ID, diff)
	}
}

// TestGroupsAtRandom lets many callers change the same few orders as they like, and
// wants the books to balance and the callers to hear of nothing but the business.
func TestGroupsAtRandom(t *testing.T) {
	g := group(t)
	const orders, callers, changes = 50, 16, 120
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for n := range orders {
		g.do(t, accept(sample(fmt.Sprint("o", n))))
	}
	before := g.gate.journeys.Load()
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(caller)))
			for range changes {
				c := anyCall(random, fmt.Sprint("o", random.IntN(orders)))
				if _, err := c(t.Context(), g.grouped); err != nil && !business(err) {
					t.Errorf("a change answered %v", err)
				}
			}
		})
	}
	all.Wait()
	if n := g.gate.journeys.Load() - before; n >= callers*changes {
		t.Errorf("%d changes took %d journeys", callers*changes, n)
	}
	g.totals(t)
}

func anyCall(random *rand.Rand, id string) call {
	token := fmt.Sprint("t", random.IntN(4))
	calls := []call{
		beginning(id, token), beginning(id, token), beginning(id, token),
		failing(id, token), failing(id, token),
		settling(id, token, completed()), settling(id, token, outOfStock()),
		retrying(id, token), retrying(id, token),
		losing(id, 1+random.IntN(3)), requeuing(id, token), cancelling(id, token), getting(id),
	}
	return calls[random.IntN(len(calls))]
}

// business says whether an error is what the order's status makes of a change.
func business(err error) bool {
	var status *order.StatusError
	if errors.As(err, &status) {
		return true
	}
	for _, known := range []error{order.ErrSettled, order.ErrStale, order.ErrExhausted} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// TestGivingUpInAGroup holds that a caller whose time is over hears so at once,
// while its change waits behind a Redis that hangs, and that the change is not made.
func TestGivingUpInAGroup(t *testing.T) {
	g := group(t)
	g.do(t, accept(sample("o1")))
	shut := g.gate.shut()
	var all sync.WaitGroup
	all.Go(func() { _, _ = beginning("nobody", "a")(t.Context(), g.grouped) })
	<-shut.reached
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := g.grouped.Begin(ctx, claim("o1", "a")); !errors.Is(err, order.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who gave up was told %v", err)
	}
	close(shut.opened)
	all.Wait()
	if _, err := g.grouped.Begin(t.Context(), claim("o1", "b")); err != nil {
		t.Error(err)
	}
	if rec := g.get(t, "o1"); len(rec.Attempts) != 1 || rec.Attempts[0].Worker != "worker-b" {
		t.Errorf("the order has the attempts %+v", rec.Attempts)
	}
}
