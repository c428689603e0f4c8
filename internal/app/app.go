// Package app wires the parts together: it builds the API and the worker from
// their configuration, and owns start, stop and the Redis clients.
//
// It receives checked configuration and hands out two programs that run until
// their context ends. Nothing is durable after it that the parts have not made
// so; stopping in the middle of anything loses nothing.
package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"orderprocessor/internal/config"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/metrics"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/rules"
	"orderprocessor/internal/traces"
)

// Options are what is not configuration: where the program runs.
type Options struct {
	// Log receives all log lines.
	Log *slog.Logger
	// TrustRedis leaves out the check of Redis's settings at start. It is for
	// stand-ins that cannot answer it and keep nothing anyway.
	TrustRedis bool
	// Clock is this machine's; nil means time.Now.
	Clock func() time.Time
	// Traces makes the spans, and stays the caller's to stop. With nil the
	// configuration says whether any are made.
	Traces trace.TracerProvider
}

// program is what the API and the worker have in common.
type program struct {
	Options
	common config.Common
	rdb    redis.UniversalClient
	ledger *ledger.Ledger
	watch  *watch
	redis  *contact
	state  *state
	admin  net.Listener
	spans  *traces.Provider // those of Traces, if it is the program's own
	meters *metrics.Registry
	self   ledger.Program
}

func newProgram(opts Options, common config.Common, rdb redis.UniversalClient, adminAddr string, who ledger.Program) (*program, error) {
	admin, err := net.Listen("tcp", adminAddr)
	if err != nil {
		_ = rdb.Close()
		return nil, fmt.Errorf("listen on the admin address: %w", err)
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	contact := &contact{}
	rdb.AddHook(contact)
	l := ledger.New(rdb)
	w := newWatch(rdb, l, opts.Clock, opts.Log)
	w.register = queue.NewInspector(rdb).Register
	return &program{
		Options: opts, common: common, rdb: rdb, ledger: l, watch: w, redis: contact, state: newState(l, w, contact), admin: admin,
		meters: newMeters(rdb, w), self: who,
	}, nil
}

// AdminAddr is the address that answers orchestrators and operators.
func (p *program) AdminAddr() string { return p.admin.Addr().String() }

// run serves the admin address for as long as the parts run. The parts start
// when Redis has passed its check, and stop when ctx ends or one of them fails.
// Those in early start at once.
func (p *program) run(ctx context.Context, early, parts []func(context.Context) error) error {
	defer func() { _ = p.rdb.Close() }()
	stopAdmin := serveAdmin(p.admin, p.state, p.meters.Handler(), p.Log)
	defer stopAdmin()
	defer p.sendTraces()()

	running, ctx := errgroup.WithContext(ctx)
	for _, part := range early {
		running.Go(func() error { return part(ctx) })
	}
	running.Go(func() error {
		if err := p.awaitRedis(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		p.state.set(stateServing)
		running.Go(func() error { return p.announce(ctx) })
		if !p.TrustRedis {
			running.Go(func() error { return p.watch.run(ctx) })
		}
		for _, part := range parts {
			running.Go(func() error { return part(ctx) })
		}
		<-ctx.Done()
		p.state.set(stateDraining)
		p.Log.Info("stopping", "shutdown_timeout", p.common.ShutdownTimeout)
		return nil
	})
	if err := running.Wait(); err != nil {
		return err
	}
	p.Log.Info("stopped")
	return nil
}

// awaitRedis returns when Redis has passed its checks, and without an error when ctx
// ends first. It waits while Redis does not answer, or refuses what the programs do:
// a replica may be promoted, and rights be given. A setting with which orders are not
// safe is an error.
func (p *program) awaitRedis(ctx context.Context) error {
	var logged time.Time
	for ; ctx.Err() == nil; pause(ctx, redisWait) {
		wait, err := p.tryRedis(ctx)
		if wait == nil || err != nil {
			return err
		}
		if time.Since(logged) >= redisWaitLog {
			logged = time.Now()
			p.Log.Warn("waiting for Redis; not ready until it answers", "redis", p.common.Redis.String(), "error", wait)
		}
	}
	return nil
}

// tryRedis makes all checks once. It returns what to wait for, nil for nothing, or
// the error of a check that keeps the program from starting.
func (p *program) tryRedis(ctx context.Context) (wait, err error) {
	if p.TrustRedis {
		return ping(ctx, p.ledger), nil
	}
	if err := p.watch.look(ctx); err != nil {
		return err, nil
	}
	if err := p.watch.unsafe(checkWritable); err != nil {
		return nil, err
	}
	return p.watch.unsafe(), nil
}

func rulesOf(c config.Common) rules.Rules {
	return rules.Rules{HighValueAbove: c.HighValueAbove, MaxAmount: c.MaxAmount, MaxItems: c.MaxItems}
}

// The tuning of the Redis clients.
const (
	dialTimeout = time.Second
	// apiReadTimeout is below the two seconds within which a client hears of a
	// Redis that hangs.
	apiReadTimeout = time.Second
	// workerReadTimeout is longer: a worker would rather wait than repeat.
	workerReadTimeout = 3 * time.Second
	// apiPoolSize bounds the API's connections to Redis.
	apiPoolSize = 64
	// maxStreams is how many clients of one API may follow events.
	maxStreams = 500
	// maxWaits is how many may wait for the outcome of an order they send.
	maxWaits = 1000
	// workerSparePool is how many connections a worker has beyond one for each
	// slot: for fetching, heartbeats and the recoverer.
	workerSparePool = 16
	// redisRetries is how often go-redis repeats a command by itself after a
	// network error. Every write of ours can be repeated.
	redisRetries = 2
)
