// Command badworker is a worker whose handlers go wrong, for the scenarios of
// package chaos. It is wired as the real one is, and treats an order by
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
	"fmt"
	"os"

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
	defer app.FlushLog(log)
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
	name, books := fmt.Sprintf("bad-%d", os.Getpid()), ledger.New(rdb)
	backoff := queue.Backoff{Base: cfg.RetryBase, Max: cfg.RetryMax}
	handler := worker.New(worker.Config{
		Name: name, Rules: rules.Fixed(rules.Limits(cfg.Rules), cfg.Currency),
		MaxAttempts: cfg.MaxAttempts, RetryFor: cfg.RetryFor, AttemptTimeout: cfg.AttemptTimeout, Backoff: backoff, Log: log,
	}, books, books, badFulfilment{shop, cfg.AttemptTimeout})
	consumer, err := queue.NewConsumer(rdb, queue.ConsumerConfig{
		Concurrency: cfg.Concurrency, Servers: cfg.Lanes, ReservedCritical: cfg.ReservedCritical, Prefetch: cfg.Prefetch,
		Weights: cfg.QueueWeights, Backoff: backoff, ShutdownTimeout: cfg.ShutdownTimeout, Log: log,
	}, panicsOnce{next: handler, folder: os.Getenv("STUMBLED")})
	if err != nil {
		return err
	}
	tasks, err := queue.NewTasks(rdb, 1)
	if err != nil {
		return err
	}
	producer := queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: cfg.AttemptTimeout})
	repairer := recovery.New(recovery.Config{Name: name, Retention: cfg.Retention, Log: log}, books.Books()[0], producer, tasks)
	log.Info("worker is starting", "worker_id", name)
	running, ctx := errgroup.WithContext(ctx)
	running.Go(func() error { return consumer.Run(ctx) })
	running.Go(func() error { return repairer.Run(ctx) })
	return running.Wait()
}
