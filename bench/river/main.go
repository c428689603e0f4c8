// Command river is an order service as one would build it on River: the order and its
// job are inserted in one transaction of PostgreSQL.
//
// It runs one of two roles, api or worker, and reads DATABASE_URL, whose database has
// River's tables; the API makes its own. It is for one machine and has no limits; do
// not serve anybody with it.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"orderprocessor/bench/simple"
)

// poolSize is enough for group commit of each process, and more would have two cores
// switch between servers.
const poolSize = 16

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, args []string) error {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return fmt.Errorf("read DATABASE_URL: %w", err)
	}
	config.MaxConns = poolSize
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer pool.Close()
	switch {
	case len(args) == 1 && args[0] == "api":
		store, err := newTable(ctx, pool)
		if err != nil {
			return err
		}
		return simple.Serve(ctx, store)
	case len(args) == 1 && args[0] == "worker":
		return work(ctx, pool)
	default:
		return fmt.Errorf("want one role, api or worker, not %q", args)
	}
}

// job is the work on one order.
type job struct{ simple.Facts }

// Kind implements river.JobArgs.
func (job) Kind() string { return "order" }

var _ river.JobArgs = job{}
