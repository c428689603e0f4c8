package ledger_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
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
