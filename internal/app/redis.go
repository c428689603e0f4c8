package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
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
func waitForRedis(ctx context.Context, rdb redis.UniversalClient, addr string, log *slog.Logger) bool {
	var logged time.Time
	for ctx.Err() == nil {
		err := ping(ctx, rdb)
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

func ping(ctx context.Context, rdb redis.UniversalClient) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return rdb.Ping(ctx).Err()
}

// errEviction is a Redis that may throw orders away.
var errEviction = errors.New(
	"redis may evict keys, which loses accepted orders without an error: set maxmemory-policy to noeviction")

// checkRedis refuses a Redis that would lose orders silently, and logs what a
// crash of it can lose.
func checkRedis(ctx context.Context, rdb redis.UniversalClient, log *slog.Logger) error {
	memory, err := info(ctx, rdb, "memory")
	if err != nil {
		return err
	}
	if policy := memory["maxmemory_policy"]; policy != "noeviction" {
		return fmt.Errorf("%w (it is %q)", errEviction, policy)
	}
	server, err := info(ctx, rdb, "server")
	if err != nil {
		return err
	}
	persistence, err := info(ctx, rdb, "persistence")
	if err != nil {
		return err
	}
	logPersistence(ctx, rdb, persistence["aof_enabled"] == "1", log.With("redis_version", server["redis_version"]))
	return nil
}

func logPersistence(ctx context.Context, rdb redis.UniversalClient, aof bool, log *slog.Logger) {
	if !aof {
		log.Warn("Redis keeps no append-only file: a crash of Redis loses accepted orders", "persistence", "none or snapshots")
		return
	}
	// A managed Redis may refuse CONFIG; its level is then not known.
	fsync := rdb.ConfigGet(ctx, "appendfsync").Val()["appendfsync"]
	loses := map[string]string{
		"always":   "a crash loses no accepted order",
		"everysec": "a power cut loses up to a second of accepted orders",
		"no":       "a power cut loses up to half a minute of accepted orders",
	}[fsync]
	log.Info("Redis is ready", "persistence", "append-only file", "appendfsync", fsync, "durability", loses)
}

// info reads one section of INFO.
func info(ctx context.Context, rdb redis.UniversalClient, section string) (map[string]string, error) {
	text, err := rdb.Info(ctx, section).Result()
	if err != nil {
		return nil, fmt.Errorf("check redis settings: %w", err)
	}
	values := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			values[name] = value
		}
	}
	return values, nil
}

// goneAgain says whether a check failed because Redis did not answer it, or is
// still loading.
func goneAgain(err error) bool {
	var reply redis.Error
	if errors.As(err, &reply) {
		return strings.HasPrefix(reply.Error(), "LOADING") || strings.HasPrefix(reply.Error(), "MASTERDOWN")
	}
	return err != nil && !errors.Is(err, errEviction)
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
