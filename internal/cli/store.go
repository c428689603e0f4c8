package cli

import (
	"context"
	"fmt"
	"time"

	"orderprocessor/internal/config"
)

// store is the Redis that dev runs on.
type store struct {
	redis   config.Redis
	kept    string // where the orders are, for people
	standIn bool   // it keeps nothing and cannot tell its settings
	// ended is closed when the store has ended by itself, and why says why; nil
	// for a store that dev does not run.
	ended <-chan struct{}
	why   func() error
	stop  func() error
}

// watch returns an error when the store ends before ctx.
func (s *store) watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.ended:
		return fmt.Errorf("the private Redis has ended: %w", s.why())
	}
}

// close stops what dev started.
func (s *store) close() error {
	if s.stop == nil {
		return nil
	}
	return s.stop()
}

// openStore picks the Redis: REDIS_URL, a private one, or the stand-in.
func (d *dev) openStore(ctx context.Context) (*store, error) {
	if d.env("REDIS_URL") != "" {
		r := d.apiConfig.Redis
		if err := ask(ctx, r, redisAnswerTimeout); err != nil {
			return nil, fmt.Errorf("REDIS_URL: no answer from %s: %w", r, err)
		}
		return &store{redis: r, kept: keptBy(r)}, nil
	}
	if program, err := d.LookPath("redis-server"); err == nil && canRunRedis {
		return openPrivateRedis(ctx, program, d.data)
	}
	return openStandIn()
}

// ask returns when Redis answers.
func ask(ctx context.Context, r config.Redis, timeout time.Duration) error {
	client := r.Client(config.Tuning{PoolSize: 1, DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, MaxRetries: -1})
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return client.Ping(ctx).Err()
}
