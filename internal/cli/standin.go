package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"orderprocessor/internal/config"
)

// openStandIn starts a Redis in memory. Its author means it for tests; it must
// never serve for real.
func openStandIn() (*store, error) {
	m := miniredis.NewMiniRedis()
	if err := m.Start(); err != nil {
		return nil, fmt.Errorf("start the stand-in for Redis: %w", err)
	}
	r, err := config.ParseRedis("redis://" + m.Addr() + "/0")
	if err != nil {
		m.Close()
		return nil, err
	}
	stop := passTime(m)
	return &store{redis: r, kept: "nowhere: they are gone when this stops", standIn: true, stop: func() error {
		stop()
		m.Close()
		return nil
	}}, nil
}

// passTime lets what has a time to live expire, which the stand-in does not do
// by itself.
func passTime(m *miniredis.Miniredis) (stop func()) {
	done := make(chan struct{})
	var passing sync.WaitGroup
	passing.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				m.FastForward(time.Second)
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		passing.Wait()
	}
}
