package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

const (
	// slots is how many orders are worked at once.
	slots = 64
	// fetchCooldown and fetchPoll are those of River's own benchmark; the documentation
	// says that the first one bounds the throughput.
	fetchCooldown = 2 * time.Millisecond
	fetchPoll     = 20 * time.Millisecond
)

// work settles orders until ctx ends. River completes the jobs in batches afterwards: an
// order of a job that runs again after a crash has its outcome by then.
func work(ctx context.Context, pool *pgxpool.Pool) error {
	workers := river.NewWorkers()
	// With status = 'pending', the planner would read the index of the list in its place.
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[job]) error {
		outcome := j.Args.Decide()
		_, err := pool.Exec(ctx, `
			UPDATE orders SET status = $2, handling = $3, error = $4, processed_at = now()
			WHERE id = $1 AND processed_at IS NULL`, j.Args.ID, outcome.Status, outcome.Handling, outcome.Error)
		return err
	}))
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		FetchCooldown: fetchCooldown, FetchPollInterval: fetchPoll,
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: slots}},
		Workers: workers, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	detached := context.WithoutCancel(ctx) // Stop ends it, and jobs are to be finished
	if err := client.Start(detached); err != nil {
		return err
	}
	<-ctx.Done()
	return client.Stop(detached)
}
