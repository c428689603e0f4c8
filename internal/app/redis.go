package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"orderprocessor/internal/ledger"
)

const (
	// pingTimeout bounds one question whether Redis is there.
	pingTimeout = time.Second
	// redisWait is the time between two such questions at start.
	redisWait = 500 * time.Millisecond
	// redisWaitLog is the time between two log lines about the waiting.
	redisWaitLog = 10 * time.Second
)

// waitForRedis returns true when Redis answers, or false when ctx ends.
func waitForRedis(ctx context.Context, books *ledger.Ledger, addr string, log *slog.Logger) bool {
	var logged time.Time
	for ctx.Err() == nil {
		err := ping(ctx, books)
		if err == nil {
			return true
		}
		if time.Since(logged) >= redisWaitLog {
			logged = time.Now()
			log.Warn("waiting for Redis; not ready until it answers", "redis", addr, "error", err)
		}
		pause(ctx, redisWait)
	}
	return false
}

// pinger answers whether Redis is there.
type pinger interface {
	Ping(ctx context.Context) error
}

func ping(ctx context.Context, redis pinger) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return redis.Ping(ctx)
}

// errEviction is a Redis that may throw orders away.
var errEviction = errors.New(
	"redis may evict keys, which loses accepted orders without an error: set maxmemory-policy to noeviction")

// checkRedis refuses a Redis that would lose orders silently, and logs what a
// crash of it can lose. It returns order.ErrUnavailable when Redis is gone
// again.
func checkRedis(ctx context.Context, books *ledger.Ledger, log *slog.Logger) error {
	settings, err := books.Settings(ctx)
	if err != nil {
		return err
	}
	if settings.EvictionPolicy != "noeviction" {
		return fmt.Errorf("%w (it is %q)", errEviction, settings.EvictionPolicy)
	}
	logPersistence(settings, log.With("redis_version", settings.Version))
	return nil
}

func logPersistence(s ledger.Settings, log *slog.Logger) {
	if !s.AppendOnly {
		log.Warn("Redis keeps no append-only file: a crash of Redis loses accepted orders", "persistence", "none or snapshots")
		return
	}
	loses := map[string]string{
		"always":   "a crash loses no accepted order",
		"everysec": "a power cut loses up to a second of accepted orders",
		"no":       "a power cut loses up to half a minute of accepted orders",
	}[s.AppendFsync]
	log.Info("Redis is ready", "persistence", "append-only file", "appendfsync", s.AppendFsync, "durability", loses)
}

// pause waits, or returns early when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
