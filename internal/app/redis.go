package app

import (
	"context"
	"time"
)

const (
	// pingTimeout bounds one question whether Redis is there.
	pingTimeout = time.Second
	// redisWait is the time between two such questions at start.
	redisWait = 500 * time.Millisecond
	// redisWaitLog is the time between two log lines about the waiting.
	redisWaitLog = 10 * time.Second
)

// pinger answers whether Redis is there.
type pinger interface {
	Ping(ctx context.Context) error
}

func ping(ctx context.Context, redis pinger) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return redis.Ping(ctx)
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
