// Command naive is the honest first attempt at the same service with the same
// libraries, for our own to be measured against: each step is the call that the
// library's introduction shows, and each order makes every step alone. It keeps
// the same books with the same scripts, and loses as much in a crash between two
// steps as such an attempt does.
//
// It runs one of two roles, api or worker, and reads REDIS_URL and
// ORDERS_FULFILMENT_URL. With the further word hash it keeps a record of its own
// instead of our books, the least that HTTP clients need: a hash for each order and a
// sorted set for each status. It is for one machine and has no limits; do not serve
// anybody with it.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"orderprocessor/bench/simple"
)

// poolSize is as many connections as our own API has; the default would be ten
// for each core.
const poolSize = 64

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
	opts, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		return fmt.Errorf("read REDIS_URL: %w", err)
	}
	opts.PoolSize = poolSize
	rdb := redis.NewClient(opts)
	defer func() { _ = rdb.Close() }()
	switch strings.Join(args, " ") {
	case "api":
		return serve(ctx, rdb)
	case "worker":
		return work(ctx, rdb)
	case "api hash":
		return simple.Serve(ctx, newHashes(rdb))
	case "worker hash":
		return newHashes(rdb).work(ctx)
	default:
		return fmt.Errorf("want a role, api or worker, and perhaps hash, not %q", args)
	}
}
