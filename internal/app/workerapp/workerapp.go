// Package workerapp builds the worker program and runs it.
//
// It receives checked configuration and wires the packages that process orders. It
// owns the Redis client and the connections to the shop. Stopping the program at any
// moment loses no order. It must not link the HTTP API.
package workerapp

import (
	"context"
	"fmt"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/archiving"
	"orderprocessor/internal/config"
	"orderprocessor/internal/fulfilment"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/jobs"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/rules"
	"orderprocessor/internal/stats"
	"orderprocessor/internal/traces"
	"orderprocessor/internal/worker"
)

const (
	// redisTimeout bounds one Redis command. It is longer than that of the API: a
	// worker waits rather than repeat a command.
	redisTimeout = 3 * time.Second
	// spareConnections is how many connections to Redis a worker has beyond one for
	// each slot: for prefetching, heartbeats and recovery.
	spareConnections = 16
)

// Worker is the program that processes orders.
type Worker struct {
	*app.Program
	cfg       config.Worker
	shop      *fulfilment.Client  // nil without a fulfilment URL
	breaker   *fulfilment.Breaker // likewise
	consumer  *queue.Consumer
	repairers []*recovery.Repairer // one for each book
	archiver  *archiving.Archiver  // nil without an archive
	sampler   *stats.Sampler
	jobs      *jobs.Runner
}

// Main runs a worker until a signal stops it, and returns the exit status of
// cmd/worker.
func Main(args, environ []string) int {
	app.TrimTraces(environ)
	cfg, err := config.LoadWorker(environ)
	return app.Main("worker", args, cfg.Common, cfg.AdminAddr, err, func(opts app.Options) (app.Runner, error) {
		return New(cfg, opts)
	})
}

// New builds a worker and opens its admin listener. Run starts everything else.
func New(cfg config.Worker, opts app.Options) (*Worker, error) {
	p, err := app.NewProgram(cfg.Common, opts, app.Spec{
		Kind: app.KindWorker, AdminAddr: cfg.AdminAddr,
		RedisPool: cfg.Concurrency + spareConnections, RedisTimeout: redisTimeout,
	})
	if err != nil {
		return nil, err
	}
	w := &Worker{Program: p, cfg: cfg}
	if err := w.build(); err != nil {
		p.Close()
		return nil, err
	}
	return w, nil
}

// build wires the worker from the shop backwards: the consumer delivers an order to
// the attempt, which records in the ledger and calls the shop.
func (w *Worker) build() (err error) {
	if w.shop, err = w.newShop(); err != nil {
		return fmt.Errorf("set up fulfilment: %w", err)
	}
	if w.shop != nil {
		w.breaker = fulfilment.NewBreaker(w.shop, w.Name(), w.Ledger, w.Log)
	}
	backoff := queue.Backoff{Base: w.cfg.RetryBase, Max: w.cfg.RetryMax}
	decide := rules.NewEngine(rules.EngineConfig{Limits: rules.Limits(w.cfg.Rules), Currency: w.cfg.Currency, Log: w.Log}, w.Ledger)
	attempts := w.Metrics.NewAttempts()
	attempt := worker.New(worker.Config{
		Name: w.Name(), Rules: decide, MaxAttempts: w.cfg.MaxAttempts, RetryFor: w.cfg.RetryFor,
		AttemptTimeout: w.cfg.AttemptTimeout, Backoff: backoff, Shop: w.shop.Host(), Log: w.Log,
		Uncalled: func() { w.consumer.Extend(1) }, // so that orders without a call do not use up the calls that the circuit breaker permits
	}, w.Ledger, attempts.Ledger(w.tracedLedger()), w.measuredShop())
	w.consumer, err = queue.NewConsumer(w.Redis, queue.ConsumerConfig{
		Books:       w.cfg.Books,
		Concurrency: w.cfg.Concurrency, Servers: w.cfg.Lanes, ReservedCritical: w.cfg.ReservedCritical, Prefetch: w.cfg.Prefetch,
		Weights: w.cfg.QueueWeights, Backoff: backoff, ShutdownTimeout: w.cfg.ShutdownTimeout, Log: w.Log, Traces: w.Traces,
	}, attempts.Handler(attempt))
	if err != nil {
		return fmt.Errorf("set up the consumer: %w", err)
	}
	w.RequireClock(w.consumer.Hold)
	producer := queue.NewProducer(w.Redis, queue.ProducerConfig{Books: w.cfg.Books, AttemptTimeout: w.cfg.AttemptTimeout, Log: w.Log})
	known, unknown := queue.NewTasks(w.Redis, w.cfg.Books)
	for _, book := range w.Ledger.Books() {
		var tasks recovery.Tasks = queue.NoTasks{}
		if unknown == nil {
			tasks = known.OfBook(book.Number())
		}
		cfg := recovery.Config{Name: w.Name(), Retention: w.cfg.Retention, Log: w.Log}
		w.repairers = append(w.repairers, recovery.New(cfg, book, producer, tasks))
	}
	leads := w.repairers[0].Leads
	if w.Archive != nil {
		w.archiver = archiving.New(archiving.Config{Leads: leads, Retention: w.cfg.ArchiveRetention, Log: w.Log}, w.Ledger, w.Archive)
	}
	w.sampler = stats.NewSampler(stats.New(w.Ledger, queue.NewInspector(w.Redis, w.cfg.Books)), w.Ledger, leads, w.Log)
	admission := intake.NewAdmission(queue.NewInspector(w.Redis, w.cfg.Books), w.Ledger, w.cfg.MaxQueueLength)
	orders := intake.New(w.Ledger, producer, decide, admission, w.Log)
	cfg := jobs.Config{Leads: leads, Admit: admission.Run, Log: w.Log}
	if w.Archive != nil {
		cfg.Archive = w.Archive
	}
	w.jobs = jobs.New(cfg, w.Ledger, orders)
	return nil
}

// newShop returns nil if no fulfilment URL is set.
func (w *Worker) newShop() (*fulfilment.Client, error) {
	if w.cfg.FulfilmentURL == "" {
		return nil, nil //nolint:nilnil // orders then complete without a call
	}
	return fulfilment.New(fulfilment.Config{
		URL: w.cfg.FulfilmentURL, Secret: w.cfg.FulfilmentSecret.Reveal(),
		Timeout: w.cfg.FulfilmentTimeout, MaxConns: w.cfg.Concurrency, Traces: w.Traces,
	})
}

func (w *Worker) measuredShop() worker.Fulfilment {
	if w.breaker == nil {
		return nil
	}
	return w.Metrics.NewFulfilment(w.breaker)
}

// tracedLedger returns the ledger that records attempts, in their spans too if traces
// are on.
func (w *Worker) tracedLedger() worker.Attempts {
	if w.Traces == nil {
		return w.Ledger
	}
	return traces.NewLedger(w.Ledger)
}

// Run processes orders until ctx ends, then lets running attempts finish for at most
// the shutdown timeout. It may be called once.
func (w *Worker) Run(ctx context.Context) error {
	w.Log.Info("worker is starting",
		"worker_id", w.Name(), "concurrency", w.cfg.Concurrency, "admin_addr", w.AdminAddr(),
		"fulfilment", w.shop != nil, "version", app.Version())
	parts := []app.Part{w.consumer.Run, w.sampler.Run, w.jobs.Run}
	for _, r := range w.repairers {
		parts = append(parts, r.Run)
	}
	if w.archiver != nil {
		parts = append(parts, func(ctx context.Context) error {
			w.Archive.AwaitOpen(ctx)
			return w.archiver.Run(ctx)
		})
	}
	if w.shop != nil {
		w.consumer.Limit(0) // until the circuit breaker is known
		parts = append(parts, func(ctx context.Context) error { return w.breaker.Run(ctx, w.consumer) })
		defer w.shop.Close()
		if w.cfg.FulfilmentSecret.Reveal() == "" {
			w.Log.Warn("calls to fulfilment are not signed, as no secret is set")
		}
	}
	return w.RunParts(ctx, nil, parts)
}
