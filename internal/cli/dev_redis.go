package cli

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"orderprocessor/internal/client"
	"orderprocessor/internal/config"
)

// redisAnswerTimeout bounds the wait for the answer of a running Redis.
const redisAnswerTimeout = 5 * time.Second

// archiveName is the file of the archive.
const archiveName = "archive.db"

// devRedis is the Redis that dev runs on.
type devRedis struct {
	config   config.Redis
	kept     string // where the orders are, for people
	folder   string // for the archive beside it; empty for a Redis that dev does not run
	inMemory bool   // it keeps nothing and cannot report its settings
	// ended is closed when the Redis ended without being stopped, and why returns
	// the reason; nil for a Redis that dev does not run.
	ended <-chan struct{}
	why   func() error
	// stop stops what dev started.
	stop func() error
}

// openRedis returns the Redis of REDIS_URL, a private redis-server or valkey-server, or one
// in memory.
func (d *devCommand) openRedis(ctx context.Context) (*devRedis, error) {
	if d.env("REDIS_URL") != "" {
		r := d.apiConfig.Redis
		if err := pingRedis(ctx, r); err != nil {
			return nil, fmt.Errorf("REDIS_URL: no answer from %s: %w", r, err)
		}
		return &devRedis{config: r, kept: "in the Redis at " + r.String(), stop: func() error { return nil }}, nil
	}
	for _, name := range []string{"redis-server", "valkey-server"} {
		if program, err := d.LookPath(name); err == nil && canRunRedis {
			return openPrivateRedis(ctx, program, d.data)
		}
	}
	return openMiniredis()
}

// archive is the address of the archive beside the Redis, empty if dev does not run it.
func (r *devRedis) archive() config.Secret {
	if r.folder == "" {
		return ""
	}
	address := url.URL{Scheme: "sqlite", Path: filepath.Join(r.folder, archiveName)}
	return config.Secret(address.String())
}

// watch returns an error when the Redis ends before ctx.
func (r *devRedis) watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-r.ended:
		return fmt.Errorf("the private Redis has ended: %w", r.why())
	}
}

func pingRedis(ctx context.Context, r config.Redis) error {
	const t = redisAnswerTimeout
	rdb := r.Client(config.Tuning{PoolSize: 1, DialTimeout: t, ReadTimeout: t, WriteTimeout: t, MaxRetries: -1})
	defer func() { _ = rdb.Close() }()
	ctx, cancel := context.WithTimeout(ctx, t)
	defer cancel()
	return rdb.Ping(ctx).Err()
}

// openMiniredis starts a Redis in memory. Its author means it for tests; it must
// never be used in production.
func openMiniredis() (*devRedis, error) {
	m := miniredis.NewMiniRedis()
	if err := m.Start(); err != nil {
		return nil, fmt.Errorf("start a Redis in memory: %w", err)
	}
	r, err := config.ParseRedis("redis://" + m.Addr() + "/0")
	var folder string
	if err == nil {
		folder, err = os.MkdirTemp("", "orderctl")
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var expiring sync.WaitGroup
	expiring.Go(func() { // its keys do not expire otherwise
		for client.Wait(ctx, time.Second) == nil {
			m.FastForward(time.Second)
		}
	})
	return &devRedis{config: r, kept: "nowhere: they are gone when this stops", folder: folder, inMemory: true, stop: func() error {
		cancel()
		expiring.Wait()
		m.Close()
		return os.RemoveAll(folder)
	}}, nil
}
