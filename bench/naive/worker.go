package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/fulfilment"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

const (
	// concurrency is how many orders are worked at once.
	concurrency = 50
	// maxAttempts is the default of our own configuration.
	maxAttempts = 8
	// fulfilmentTimeout is the default of our own configuration.
	fulfilmentTimeout = 10 * time.Second
)

// worker makes attempts.
type worker struct {
	// ledgers has one for each slot: the callers of one would share their scripts.
	ledgers chan *ledger.Ledger
	shop    *fulfilment.Client // nil without a shop
}

// work works tasks with one Asynq server until ctx ends.
func work(ctx context.Context, rdb *redis.Client) error {
	w := worker{ledgers: make(chan *ledger.Ledger, concurrency)}
	for range concurrency {
		w.ledgers <- ledger.New(rdb)
	}
	if url := os.Getenv("ORDERS_FULFILMENT_URL"); url != "" {
		var err error
		w.shop, err = fulfilment.New(fulfilment.Config{URL: url, Timeout: fulfilmentTimeout, MaxConns: concurrency})
		if err != nil {
			return fmt.Errorf("set up fulfilment: %w", err)
		}
	}
	return runServer(ctx, rdb, w.handle, map[string]int{
		string(order.QueueCritical): 6, string(order.QueueDefault): 3, string(order.QueueLow): 1,
	})
}

// runServer runs an Asynq server until ctx ends. Without queues it has the default one.
func runServer(ctx context.Context, rdb *redis.Client, handle asynq.HandlerFunc, queues map[string]int) error {
	server := asynq.NewServerFromRedisClient(rdb, asynq.Config{
		Concurrency: concurrency, LogLevel: asynq.WarnLevel, Queues: queues,
	})
	if err := server.Start(handle); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	<-ctx.Done()
	server.Shutdown()
	return nil
}

// handle decides, begins, fulfils and settles one order. After an error Asynq
// brings it back.
func (w worker) handle(ctx context.Context, task *asynq.Task) error {
	books := <-w.ledgers
	defer func() { w.ledgers <- books }()
	rec, err := books.Get(ctx, task.ResultWriter().TaskID())
	if err != nil {
		return err
	}
	decision := shopRules.Decide(rules.Facts{Order: rec.Order})
	claim := order.Claim{
		ID: rec.ID, Token: rand.Text()[:16], Worker: "naive", Handling: decision.Handling, MaxAttempts: maxAttempts,
	}
	begun, err := books.Begin(ctx, claim)
	if err != nil {
		return err
	}
	if !decision.Approved() {
		return books.Settle(ctx, claim, order.Outcome{Status: order.StatusRejected, Error: decision.Reason})
	}
	note, err := w.fulfil(ctx, rec.Order, decision.Handling, begun.Number)
	if err != nil {
		return err
	}
	return books.Settle(ctx, claim, order.Outcome{Status: order.StatusCompleted, Note: note})
}

func (w worker) fulfil(ctx context.Context, o order.Order, h order.Handling, attempt int) (string, error) {
	if w.shop == nil {
		return "", nil
	}
	return w.shop.Fulfil(ctx, order.Approval{Order: o, Handling: h, Attempt: attempt, ApprovedAt: time.Now()})
}
