package app

import (
	"context"
	"fmt"
	"net"

	"orderprocessor/internal/access"
	"orderprocessor/internal/api"
	"orderprocessor/internal/config"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/live"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/stats"
)

// API is the program that takes orders over HTTP.
type API struct {
	*program
	cfg    config.API
	http   net.Listener
	server *api.Server
	gate   *intake.Admission
	report *stats.Reporter
	live   *live.Hub
}

// NewAPI builds the API and takes its addresses; it starts nothing.
func NewAPI(cfg config.API, opts Options) (*API, error) {
	rdb := cfg.Redis.Client(config.Tuning{
		PoolSize: apiPoolSize, DialTimeout: dialTimeout,
		ReadTimeout: apiReadTimeout, WriteTimeout: apiReadTimeout, MaxRetries: redisRetries,
	})
	p, err := newProgram(opts, cfg.Common, rdb, cfg.AdminAddr, self(kindAPI, processName()))
	if err != nil {
		return nil, err
	}
	a := &API{program: p, cfg: cfg}
	if err := a.build(); err != nil {
		_ = p.admin.Close()
		_ = rdb.Close()
		return nil, err
	}
	return a, nil
}

func (a *API) build() error {
	if err := a.openTraces(serviceAPI, a.self.Name); err != nil {
		return err
	}
	inspector := queue.NewInspector(a.rdb)
	a.gate = intake.NewAdmission(inspector, a.ledger, a.cfg.MaxQueueLength)
	a.report = stats.New(a.ledger, inspector)
	producer := queue.NewProducer(a.rdb, queue.ProducerConfig{AttemptTimeout: a.cfg.AttemptTimeout, Log: a.Log, Traces: a.Traces})
	a.live = live.New(live.Config{MaxStreams: maxStreams, MaxWaits: maxWaits, Log: a.Log}, a.ledger)
	a.measure()
	in := intake.New(a.ledger, producer, rulesOf(a.cfg.Common), a.gate, a.Log)
	var err error
	a.server, err = api.New(api.Config{
		MaxQueueLength: a.cfg.MaxQueueLength, MonitoringWritable: a.cfg.MonitoringWritable,
		Keys: keysOf(a.cfg.Keys), LocalOnly: len(a.cfg.Keys) == 0 && !a.cfg.Insecure, Ready: a.state.ready, Away: a.redis.lost, Log: a.Log, Traces: a.Traces,
		Observe: a.meters.NewRequests().Observe,
	}, api.Parts{
		Intake: a.meters.NewIntake(in, rulesOf(a.cfg.Common)), Retries: in, Records: a.ledger, Queues: inspector, Stats: a.report, Live: a.live,
		Limiter: a.limiter(), Redis: a.rdb,
	})
	if err != nil {
		return err
	}
	a.http, err = net.Listen("tcp", a.cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("listen on the HTTP address: %w", err)
	}
	return nil
}

// limiter returns nil where nothing is limited.
func (a *API) limiter() api.Limiter {
	if a.cfg.RateLimit == 0 {
		return nil
	}
	limit := access.Limit{PerSecond: a.cfg.RateLimit, Burst: a.cfg.RateBurst}
	return access.NewLimiter(a.rdb, access.LimiterConfig{Limit: limit, Log: a.Log})
}

// keysOf hands the keys on with their hashes revealed.
func keysOf(configured []config.APIKey) access.Keys {
	keys := make(access.Keys, len(configured))
	for i, k := range configured {
		keys[i] = access.Key{Name: k.Name, Scopes: k.Scopes}
		copy(keys[i].Hash[:], k.Hash.Reveal())
	}
	return keys
}

// Addr is the address that serves clients.
func (a *API) Addr() string { return a.http.Addr().String() }

// Run serves until ctx ends, then drains for at most the shutdown timeout. It
// answers from the start, with 503 while Redis is away. It may be called once.
func (a *API) Run(ctx context.Context) error {
	a.Log.Info("API is listening", "addr", a.Addr(), "admin_addr", a.admin.Addr().String(), "api_keys", len(a.cfg.Keys), "version", Version())
	serve := func(ctx context.Context) error { return a.server.Serve(ctx, a.http, a.cfg.ShutdownTimeout) }
	return a.run(ctx,
		[]func(context.Context) error{serve},
		[]func(context.Context) error{a.gate.Run, a.report.Run, a.live.Run})
}
