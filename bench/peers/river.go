package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

const (
	// riverFetchCooldown and riverFetchPoll are those of River's own benchmark;
	// the documentation says that the first one bounds the throughput.
	riverFetchCooldown = 2 * time.Millisecond
	riverFetchPoll     = 20 * time.Millisecond
	// riverConnections is enough for group commit, and more would have two cores
	// switch between servers.
	riverConnections = 32
)

// riverPeer is River with the intervals of its own benchmark. Jobs are completed
// in batches and kept for a day, which are its defaults.
func riverPeer() Peer {
	return Peer{
		Name: "River", Version: versionOf("github.com/riverqueue/river"),
		Store: "PostgreSQL; everysec is synchronous_commit off, written through every 200 ms",
		Open:  inProcess(func(ctx context.Context, _, _ string) (engine, error) { return openRiver(ctx, "off") }),
	}
}

type riverEngine struct {
	postgres *cluster
	pool     *pgxpool.Pool
	inserter *river.Client[pgx.Tx]
}

func openRiver(ctx context.Context, commits string) (*riverEngine, error) {
	postgres, err := openPostgres(ctx, commits)
	if err != nil {
		return nil, err
	}
	e := &riverEngine{postgres: postgres}
	if err := e.prepare(ctx); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// prepare connects and creates River's tables.
func (e *riverEngine) prepare(ctx context.Context) error {
	c, err := pgxpool.ParseConfig(e.postgres.address())
	if err != nil {
		return fmt.Errorf("read the address of PostgreSQL: %w", err)
	}
	c.MaxConns = riverConnections
	if e.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(e.pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("prepare River's tables: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("create River's tables: %w", err)
	}
	e.inserter, err = river.NewClient(riverpgxv5.New(e.pool), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	return err
}

func (e *riverEngine) put(ctx context.Context, body []byte) error {
	_, err := e.inserter.Insert(ctx, riverOrder{body: body}, nil)
	return err
}

func (e *riverEngine) run(ctx context.Context, slots int, work func([]byte) error) (func() error, error) {
	if err := e.analyse(ctx); err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(_ context.Context, job *river.Job[riverOrder]) error {
		return work(job.Args.body)
	}))
	client, err := river.NewClient(riverpgxv5.New(e.pool), &river.Config{
		FetchCooldown: riverFetchCooldown, FetchPollInterval: riverFetchPoll,
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: slots}},
		Workers: workers, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	// Stop ends it, not the caller's context: jobs are to be finished.
	detached := context.WithoutCancel(ctx)
	return func() error { return client.Stop(detached) }, client.Start(detached)
}

// analyse does what a server that has run for a minute has done already.
func (e *riverEngine) analyse(ctx context.Context) error {
	if _, err := e.pool.Exec(ctx, "ANALYZE"); err != nil {
		return fmt.Errorf("analyse River's tables: %w", err)
	}
	return nil
}

func (e *riverEngine) close() error {
	if e.pool != nil {
		e.pool.Close()
	}
	return e.postgres.close()
}

// riverOrder is an order as the arguments of a job. It stays as it is written,
// so that River does not decode it before the worker does.
type riverOrder struct {
	body json.RawMessage
}

// Kind implements river.JobArgs.
func (riverOrder) Kind() string { return "order" }

// MarshalJSON implements json.Marshaler.
func (o riverOrder) MarshalJSON() ([]byte, error) { return o.body, nil }

// UnmarshalJSON implements json.Unmarshaler.
func (o *riverOrder) UnmarshalJSON(text []byte) error {
	return o.body.UnmarshalJSON(text)
}
