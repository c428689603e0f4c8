// Command badworker is a worker whose handlers go wrong, for the scenarios of
// package chaos. It is put together as the real one is, and treats an order by
// the first word of its id:
//
//	panic    every attempt panics
//	stumble  the first delivery panics before its attempt begins; the folder named
//	         by STUMBLED remembers that
//	hang     every attempt hangs until its time is over
//	deaf     the attempt exceeds its time and ignores its context
//	poison   every attempt kills the process
//
// All other orders are handed to the shop.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/fulfilment"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/rules"
	"orderprocessor/internal/worker"
)

const (
	// sparePool is how many connections the worker has beyond one for each slot.
	sparePool = 16
	// redisRetries is how often go-redis repeats a command.
	redisRetries = 2
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(app.ExitFailure)
	}
}

func run() error {
	cfg, err := config.LoadWorker(os.Environ())
	if err != nil {
		return err
	}
	log := app.NewLog(os.Stderr, cfg.Common)
	ctx, stop := app.SignalContext(log)
	defer stop()
	rdb := cfg.Redis.Client(config.Tuning{PoolSize: cfg.Concurrency + sparePool, MaxRetries: redisRetries})
	defer func() { _ = rdb.Close() }()
	shop, err := fulfilment.New(fulfilment.Config{
		URL: cfg.FulfilmentURL, Timeout: cfg.FulfilmentTimeout, MaxConns: cfg.Concurrency,
	})
	if err != nil {
		return err
	}
	defer shop.Close()
	b := builder{cfg: cfg, name: fmt.Sprintf("bad-%d", os.Getpid()), rdb: rdb, books: ledger.New(rdb), log: log}
	consumer, err := b.consumer(badFulfilment{shop, cfg.AttemptTimeout})
	if err != nil {
		return err
	}
	repairer, err := b.repairer()
	if err != nil {
		return err
	}
	log.Info("worker is starting", "worker_id", b.name)
	running, ctx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{consumer.Run, repairer.Run} {
		running.Go(func() error { return part(ctx) })
	}
	return running.Wait()
}

// builder puts the parts together as internal/app does.
type builder struct {
	cfg   config.Worker
	name  string
	rdb   redis.UniversalClient
	books *ledger.Ledger
	log   *slog.Logger
}

// consumer works orders with a handler and a fulfilment that go wrong.
func (b builder) consumer(bad worker.Fulfilment) (*queue.Consumer, error) {
	c := b.cfg
	backoff := queue.Backoff{Base: c.RetryBase, Max: c.RetryMax}
	handler := worker.New(worker.Config{
		Name: b.name, Rules: rules.Rules(c.Rules),
		MaxAttempts: c.MaxAttempts, AttemptTimeout: c.AttemptTimeout, Backoff: backoff, Log: b.log,
	}, b.books, b.books, bad)
	return queue.NewConsumer(b.rdb, queue.ConsumerConfig{
		Concurrency: c.Concurrency, Servers: c.Lanes, ReservedCritical: c.ReservedCritical, Prefetch: c.Prefetch,
		Weights: c.QueueWeights, Backoff: backoff, ShutdownTimeout: c.ShutdownTimeout, Log: b.log,
	}, panicsOnce{next: handler, folder: os.Getenv("STUMBLED")})
}

func (b builder) repairer() (*recovery.Repairer, error) {
	tasks, err := queue.NewTasks(b.rdb)
	if err != nil {
		return nil, err
	}
	producer := queue.NewProducer(b.rdb, queue.ProducerConfig{AttemptTimeout: b.cfg.AttemptTimeout})
	cfg := recovery.Config{Name: b.name, Retention: b.cfg.Retention, Log: b.log}
	return recovery.New(cfg, b.books, producer, tasks), nil
}
