// Package app holds what the API and the worker have in common: start, stop, the
// Redis client, the checks of Redis and of the clock, the admin address, and the log.
//
// It receives checked configuration. Packages apiapp and workerapp add what their
// program runs. It owns the Redis client and the admin listener; nothing is durable
// after it. It imports no HTTP framework, so that the worker links none.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"orderprocessor/internal/config"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/metrics"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/traces"
)

const (
	// dialTimeout bounds opening one connection to Redis.
	dialTimeout = time.Second
	// redisRetries is how often go-redis repeats a command after a network error.
	// Every write of this service can be repeated.
	redisRetries = 2
	// redisWait is the time between two attempts to reach Redis at start.
	redisWait = 500 * time.Millisecond
	// redisWaitLog is the time between two log lines about them.
	redisWaitLog = 10 * time.Second
)

// The kinds of programs, as they are registered in Redis.
const (
	KindAPI    = "api"
	KindWorker = ledger.KindWorker
)

// Options are settings of a program that do not come from its environment.
type Options struct {
	// Log receives all log lines.
	Log *slog.Logger
	// TrustRedis skips the checks of Redis. It is for substitutes of Redis that
	// cannot answer them and keep nothing on disk.
	TrustRedis bool
	// Clock returns the time of this machine; nil means time.Now.
	Clock func() time.Time
	// Traces creates the spans; the caller shuts it down. If it is nil, the
	// configuration decides whether there are spans.
	Traces trace.TracerProvider
}

// Spec describes a kind of program.
type Spec struct {
	// Kind is KindAPI or KindWorker.
	Kind string
	// AdminAddr is the host:port for orchestrators and operators.
	AdminAddr string
	// RedisPool is the maximum number of connections to Redis.
	RedisPool int
	// RedisTimeout bounds one read from Redis and one write to it.
	RedisTimeout time.Duration
}

// Part is one thing that a program runs until ctx ends.
type Part func(ctx context.Context) error

// Program is the common part of the API and the worker.
type Program struct {
	Options
	// Redis is the one client of the program.
	Redis redis.UniversalClient
	// Ledger is the ledger in that Redis.
	Ledger *ledger.Ledger
	// Archive is the archive, nil if none is configured. It is away until it has been
	// opened, which no part waits for.
	Archive *Archive
	// Metrics are served on the admin address.
	Metrics *metrics.Registry

	common    config.Common
	self      ledger.Program
	monitor   *monitor
	readiness *readiness
	admin     net.Listener
	first     func(context.Context) error // see First, or nil
	spans     *traces.Provider            // set if the program created Traces itself
}

// NewProgram builds the common part and opens the admin listener. The caller must
// call RunParts or Close.
func NewProgram(common config.Common, opts Options, spec Spec) (*Program, error) {
	admin, err := net.Listen("tcp", spec.AdminAddr)
	if err != nil {
		return nil, fmt.Errorf("listen on the admin address: %w", err)
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	rdb := common.Redis.Client(config.Tuning{
		PoolSize: spec.RedisPool, DialTimeout: dialTimeout,
		ReadTimeout: spec.RedisTimeout, WriteTimeout: spec.RedisTimeout, MaxRetries: redisRetries,
	})
	conn := &connection{}
	rdb.AddHook(conn)
	kept, keeping := newArchive(common.Archive, opts.Log), ledger.Config{Books: common.Books}
	if kept != nil { // a nil *Archive is no nil ledger.Archive
		keeping.Archive = kept
	}
	books := ledger.NewWith(rdb, keeping)
	books.SetIDTerm(max(0, common.IDRetention-common.Retention))
	m := newMonitor(newReader(rdb, books, opts.Clock), opts.Log)
	m.register = queue.NewInspector(rdb, common.Books).Register
	p := &Program{
		Options: opts, Redis: rdb, Ledger: books, Metrics: newMetrics(rdb, m), common: common,
		Archive: kept,
		self:    ledger.Program{Kind: spec.Kind, Name: processName(), Version: Version()},
		monitor: m, readiness: &readiness{redis: books, monitor: m, conn: conn, archive: kept}, admin: admin,
	}
	if err := p.openTraces("orderprocessor-" + spec.Kind); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Name identifies this process among all processes of the service.
func (p *Program) Name() string { return p.self.Name }

// AdminAddr returns the address that answers orchestrators and operators.
func (p *Program) AdminAddr() string { return p.admin.Addr().String() }

// Ready returns the reason why the program cannot serve orders, or nil. A program that
// drains is still ready for the requests that it has.
func (p *Program) Ready() error { return p.readiness.ready() }

// RedisAway reports whether Redis has stopped answering.
func (p *Program) RedisAway() bool { return p.readiness.conn.lost() }

// RequireClock makes the program depend on the clock of this machine: it is not ready
// while the clock is too far from that of Redis. After each check, hold learns whether
// that is so. Call it before RunParts.
func (p *Program) RequireClock(hold func(clockIsOff bool)) {
	p.monitor.needsClock, p.monitor.afterCheck = true, hold
}

// First has the program read something once Redis has passed its checks, before it serves.
// An error ends the program, except for order.ErrUnavailable: then it tries again. Call it
// before RunParts.
func (p *Program) First(read func(context.Context) error) { p.first = read }

// Close releases a program that has not run.
func (p *Program) Close() {
	_ = p.admin.Close()
	_ = p.Redis.Close()
}

// RunParts serves the admin address while the parts run. Early parts start at once,
// the others when Redis has passed its checks. All stop when ctx ends or one of them
// fails. It may be called once.
func (p *Program) RunParts(ctx context.Context, early, parts []Part) error {
	defer func() { _ = p.Redis.Close() }()
	defer serveAdmin(p.admin, p.readiness, p.Metrics.Handler(), p.Log)()
	defer p.sendTraces()()

	running, ctx := errgroup.WithContext(ctx)
	start := func(parts ...Part) {
		for _, part := range parts {
			running.Go(func() error { return part(ctx) })
		}
	}
	start(early...)
	if p.Archive != nil {
		defer p.Archive.close()
		start(p.Archive.run)
	}
	running.Go(func() error {
		if err := p.awaitRedis(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		p.readiness.set(serving)
		start(p.announce)
		if !p.TrustRedis {
			start(p.monitor.run)
		}
		start(parts...)
		<-ctx.Done()
		p.readiness.set(draining)
		p.Log.Info("stopping", "shutdown_timeout", p.common.ShutdownTimeout)
		return nil
	})
	if err := running.Wait(); err != nil {
		return err
	}
	p.Log.Info("stopped")
	return nil
}

// awaitRedis returns nil when Redis has passed its checks or ctx ends. It waits while
// Redis does not answer or refuses the commands of the program: a replica may be
// promoted, and permissions may be granted. A setting that endangers orders is an
// error.
func (p *Program) awaitRedis(ctx context.Context) error {
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

// tryRedis runs all checks once. It returns the reason to wait, nil for none, or the
// error that keeps the program from starting.
func (p *Program) tryRedis(ctx context.Context) (wait, err error) {
	if p.TrustRedis {
		return p.open(ctx)
	}
	if err := p.monitor.check(ctx); err != nil {
		return err, nil
	}
	if err := p.monitor.unsafe(checkWritable); err != nil {
		return nil, err
	}
	if wait := p.monitor.unsafe(); wait != nil {
		return wait, nil
	}
	return p.open(ctx)
}

// open compares the number of books, and reads what the program needs before it serves.
func (p *Program) open(ctx context.Context) (wait, err error) {
	err = p.Ledger.Fix(ctx)
	if err == nil && p.first != nil {
		err = p.first(ctx)
	}
	if errors.Is(err, order.ErrUnavailable) || ctx.Err() != nil {
		return err, nil
	}
	return nil, err
}

// processNameChars is the length of the random part that distinguishes processes with
// the same host name and process id, as containers have.
const processNameChars = 6

func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:processNameChars])
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
