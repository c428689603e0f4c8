package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"

	"orderprocessor/internal/config"
	"orderprocessor/internal/fulfilment"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/reconcile"
	"orderprocessor/internal/traces"
	"orderprocessor/internal/worker"
)

// Worker is the program that works the orders.
type Worker struct {
	*program
	name      string
	cfg       config.Worker
	consumer  *queue.Consumer
	reconcile *reconcile.Reconciler
	shop      *fulfilment.Client
}

// NewWorker builds a worker and takes its admin address; it starts nothing.
func NewWorker(cfg config.Worker, opts Options) (*Worker, error) {
	name := processName()
	rdb := cfg.Redis.Client(config.Tuning{
		PoolSize: cfg.Concurrency + workerSparePool, DialTimeout: dialTimeout,
		ReadTimeout: workerReadTimeout, WriteTimeout: workerReadTimeout, MaxRetries: redisRetries,
	})
	p, err := newProgram(opts, cfg.Common, rdb, cfg.AdminAddr, self(kindWorker, name))
	if err != nil {
		return nil, err
	}
	w := &Worker{program: p, name: name, cfg: cfg}
	if err := w.build(); err != nil {
		_ = p.admin.Close()
		_ = rdb.Close()
		return nil, err
	}
	return w, nil
}

func (w *Worker) build() error {
	if err := w.openTraces(serviceWorker, w.name); err != nil {
		return err
	}
	backoff := queue.Backoff{Base: w.cfg.RetryBase, Max: w.cfg.RetryMax}
	var shop worker.Fulfilment
	if w.cfg.FulfilmentURL != "" {
		client, err := fulfilment.New(fulfilment.Config{
			URL: w.cfg.FulfilmentURL, Secret: w.cfg.FulfilmentSecret.Reveal(),
			Timeout: w.cfg.FulfilmentTimeout, MaxConns: w.cfg.Concurrency, Traces: w.Traces,
		})
		if err != nil {
			return fmt.Errorf("set up fulfilment: %w", err)
		}
		w.shop, shop = client, w.meters.NewFulfilment(client)
	}
	attempts := w.meters.NewAttempts()
	handler := attempts.Handler(worker.New(worker.Config{
		Name: w.name, Rules: rulesOf(w.cfg.Common), MaxAttempts: w.cfg.MaxAttempts,
		AttemptTimeout: w.cfg.AttemptTimeout, Backoff: backoff, Log: w.Log,
	}, w.ledger, attempts.Books(w.books()), shop))
	consumer, err := queue.NewConsumer(w.rdb, queue.ConsumerConfig{
		Concurrency: w.cfg.Concurrency, Lanes: w.cfg.Lanes, ReservedCritical: w.cfg.ReservedCritical,
		Weights: w.cfg.QueueWeights, Backoff: backoff, ShutdownTimeout: w.cfg.ShutdownTimeout, Log: w.Log, Traces: w.Traces,
	}, handler)
	if err != nil {
		return fmt.Errorf("set up the lanes: %w", err)
	}
	w.consumer = consumer
	w.watch.needsClock, w.watch.afterLook = true, consumer.Hold
	sweeper, err := queue.NewSweeper(w.rdb)
	if err != nil {
		return fmt.Errorf("set up the sweeper: %w", err)
	}
	producer := queue.NewProducer(w.rdb, queue.ProducerConfig{AttemptTimeout: w.cfg.AttemptTimeout})
	w.reconcile = reconcile.New(
		reconcile.Config{Name: w.name, Retention: w.cfg.Retention, Log: w.Log},
		reconcile.Parts{Ledger: w.ledger, Queue: producer, Strays: sweeper, Places: sweeper})
	return nil
}

// books are those that attempts are taken down in.
func (w *Worker) books() worker.Attempts {
	if w.Traces == nil {
		return w.ledger
	}
	return traces.NewAttempts(w.ledger)
}

// Run works orders until ctx ends, then lets running attempts finish for at
// most the shutdown timeout. It may be called once.
func (w *Worker) Run(ctx context.Context) error {
	w.Log.Info("worker is starting",
		"worker_id", w.name, "concurrency", w.cfg.Concurrency, "admin_addr", w.admin.Addr().String(),
		"fulfilment", w.shop != nil, "version", Version())
	if w.shop != nil {
		defer w.shop.Close()
		if w.cfg.FulfilmentSecret.Reveal() == "" {
			w.Log.Warn("calls to fulfilment are not signed, as no secret is set")
		}
	}
	return w.run(ctx, nil, []func(context.Context) error{w.consumer.Run, w.reconcile.Run})
}

// processNameChars is how much randomness tells two processes with the same
// host and process id apart, as containers have.
const processNameChars = 6

func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:processNameChars])
}
