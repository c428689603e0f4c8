// Package apiapp builds the API program and runs it.
//
// It receives checked configuration and wires the packages that accept and show
// orders. It owns the listening sockets and the Redis client. Stopping the program
// at any moment loses no accepted order.
package apiapp

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"orderprocessor/internal/access"
	"orderprocessor/internal/api"
	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/rules"
	"orderprocessor/internal/stats"
)

const (
	// redisTimeout bounds one Redis command. A client must learn within two seconds
	// that Redis is unavailable.
	redisTimeout = time.Second
	// redisPool is the maximum number of connections to Redis with one book. Each further
	// book may have one more, which waits for its events.
	redisPool = 64
	// maxStreams is the maximum number of subscribers to GET /events.
	maxStreams = 500
	// maxWaits is the maximum number of clients that wait for the outcome of an order.
	maxWaits = 1000
)

// API is the program that accepts orders over HTTP.
type API struct {
	*app.Program
	cfg       config.API
	listener  net.Listener
	server    *api.Server
	admission *intake.Admission
	reporter  *stats.Reporter
	live      *live.Hub
}

// Main runs the API until a signal stops it, and returns the exit status of cmd/api.
func Main(args, environ []string) int {
	app.TrimTraces(environ)
	cfg, err := config.LoadAPI(environ)
	return app.Main("api", args, cfg.Common, cfg.AdminAddr, err, func(opts app.Options) (app.Runner, error) {
		return New(cfg, opts)
	})
}

// New builds the API and opens its two listeners. Run starts everything else.
func New(cfg config.API, opts app.Options) (*API, error) {
	p, err := app.NewProgram(cfg.Common, opts, app.Spec{
		Kind: app.KindAPI, AdminAddr: cfg.AdminAddr, RedisPool: redisPool + cfg.Books - 1, RedisTimeout: redisTimeout,
	})
	if err != nil {
		return nil, err
	}
	a := &API{Program: p, cfg: cfg}
	if err := a.build(); err != nil {
		p.Close()
		return nil, err
	}
	return a, nil
}

func (a *API) build() error {
	inspector := queue.NewInspector(a.Redis, a.cfg.Books)
	decide := rules.NewEngine(rules.EngineConfig{Limits: rules.Limits(a.cfg.Rules), Currency: a.cfg.Currency, Log: a.Log}, a.Ledger)
	a.First(decide.Load) // so that the first orders wait in the right queues
	a.admission = intake.NewAdmission(inspector, a.Ledger, a.cfg.MaxQueueLength)
	a.reporter = stats.New(a.Ledger, inspector)
	a.live = live.New(live.Config{MaxStreams: maxStreams, MaxWaits: maxWaits, Log: a.Log}, a.Ledger.Books())
	a.Metrics.AddLedger(a.reporter)
	a.Metrics.Gauge("event_streams", "Subscribers to the events of this process.", a.live.Streams)
	producer := queue.NewProducer(a.Redis, queue.ProducerConfig{Books: a.cfg.Books, AttemptTimeout: a.cfg.AttemptTimeout, Log: a.Log, Traces: a.Traces})
	in := intake.New(a.Ledger, producer, decide, a.admission, a.Log)
	in.SetBooks(a.cfg.Books)
	parts := api.Parts{
		Intake: a.Metrics.NewIntake(in), Retries: in, Reviews: in, Rules: decide, RuleSets: a.Ledger, Records: a.Ledger, Queues: inspector, Audit: a.Ledger, Jobs: a.Ledger, Stats: a.reporter, Live: a.live,
		Samples: a.Ledger, Processes: inspector, Attempts: a.Ledger,
		Limiter: a.limiter(), Redis: a.Redis,
	}
	if a.Archive != nil { // a nil *app.Archive is no nil api.Archive
		parts.Archive, parts.Archived = a.Archive, a.Ledger
		in.SetArchive(a.Archive)
	}
	var err error
	a.server, err = api.New(api.Config{
		Terms: order.Terms(a.cfg.Terms), Books: a.cfg.Books,
		MaxQueueLength: a.cfg.MaxQueueLength, MonitoringWritable: a.cfg.MonitoringWritable,
		Keys: keysOf(a.cfg.Keys), LocalOnly: len(a.cfg.Keys) == 0 && !a.cfg.Insecure, TraceURL: traceURL(a.cfg.TraceURL), Ready: a.Ready, Away: a.RedisAway, Log: a.Log, Traces: a.Traces,
		Observe: a.Metrics.NewRequests().Observe,
	}, parts)
	if err != nil {
		return err
	}
	a.listener, err = net.Listen("tcp", a.cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("listen on the HTTP address: %w", err)
	}
	return nil
}

// traceURL returns nil without a template.
func traceURL(template string) func(string) string {
	if template == "" {
		return nil
	}
	return func(id string) string { return strings.ReplaceAll(template, config.TraceIDPlace, id) }
}

// limiter returns nil if requests are not limited.
func (a *API) limiter() api.Limiter {
	if a.cfg.RateLimit == 0 {
		return nil
	}
	limit := access.Limit{PerSecond: a.cfg.RateLimit, Burst: a.cfg.RateBurst}
	return access.NewLimiter(a.Redis, access.LimiterConfig{Limit: limit, Log: a.Log})
}

// keysOf converts the configured keys and reveals their hashes.
func keysOf(configured []config.APIKey) access.Keys {
	keys := make(access.Keys, len(configured))
	for i, k := range configured {
		keys[i] = access.Key{Name: k.Name, Scopes: k.Scopes}
		copy(keys[i].Hash[:], k.Hash.Reveal())
	}
	return keys
}

// Addr returns the address that serves clients.
func (a *API) Addr() string { return a.listener.Addr().String() }

// Run serves until ctx ends, then drains for at most the shutdown timeout. It
// answers from the start, with 503 while Redis is unavailable. It may be called once.
func (a *API) Run(ctx context.Context) error {
	a.Log.Info("API is listening", "addr", a.Addr(), "admin_addr", a.AdminAddr(), "api_keys", len(a.cfg.Keys), "version", app.Version())
	serve := func(ctx context.Context) error { return a.server.Serve(ctx, a.listener, a.cfg.ShutdownTimeout) }
	return a.RunParts(ctx, []app.Part{serve}, []app.Part{a.admission.Run, a.reporter.Run, a.live.Run})
}
