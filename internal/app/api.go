package app

import (
	"context"
	"fmt"
	"net"

	"orderprocessor/internal/api"
	"orderprocessor/internal/config"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/stats"
)

// API is the program that takes orders over HTTP.
type API struct {
	*program
	cfg    config.API
	http   net.Listener
	server *api.Server
	gate   *intake.Gate
	report *stats.Reporter
}

// NewAPI builds the API and takes its addresses; it starts nothing.
func NewAPI(cfg config.API, opts Options) (*API, error) {
	rdb := cfg.Redis.Client(config.Tuning{
		PoolSize: apiPoolSize, DialTimeout: dialTimeout,
		ReadTimeout: apiReadTimeout, WriteTimeout: apiReadTimeout, MaxRetries: redisRetries,
	})
	p, err := newProgram(opts, cfg.Common, rdb, cfg.AdminAddr)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", cfg.HTTPAddr)
	if err != nil {
		_ = p.admin.Close()
		_ = rdb.Close()
		return nil, fmt.Errorf("listen on the HTTP address: %w", err)
	}
	inspector := queue.NewInspector(rdb)
	producer := queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: cfg.AttemptTimeout})
	a := &API{program: p, cfg: cfg, http: l}
	a.gate = intake.NewGate(inspector, p.ledger, cfg.MaxQueueLength)
	a.report = stats.New(p.ledger, inspector)
	in := intake.New(p.ledger, producer, rulesOf(cfg.Common), a.gate, opts.Log)
	a.server = api.New(api.Config{
		MaxQueueLength: cfg.MaxQueueLength, MonitoringWritable: cfg.MonitoringWritable,
		Ready: p.state.ready, Log: opts.Log,
	}, in, p.ledger, a.report, rdb)
	return a, nil
}

// Addr is the address that serves clients.
func (a *API) Addr() string { return a.http.Addr().String() }

// Run serves until ctx ends, then drains for at most the shutdown timeout. It
// answers from the start, with 503 while Redis is away. It may be called once.
func (a *API) Run(ctx context.Context) error {
	a.Log.Info("API is listening", "addr", a.Addr(), "admin_addr", a.admin.Addr().String())
	serve := func(ctx context.Context) error { return a.server.Serve(ctx, a.http, a.cfg.ShutdownTimeout) }
	return a.run(ctx,
		[]func(context.Context) error{serve},
		[]func(context.Context) error{a.gate.Run, a.report.Run})
}
