package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// TestNoRedis checks that every call returns order.ErrUnavailable, at the latest when its
// context ends, while Redis is gone or does not answer: Asynq's inspector takes no context,
// and the client waits long.
func TestNoRedis(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*testing.T, *redistest.Server){
		"killed": func(_ *testing.T, s *redistest.Server) { s.Kill() },
		"frozen": func(t *testing.T, s *redistest.Server) { s.Freeze(); t.Cleanup(s.Thaw) },
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			opts, err := redis.ParseURL(b.Server.URL())
			queuetest.Must(t, err)
			opts.ReadTimeout, opts.WriteTimeout, opts.ContextTimeoutEnabled, opts.MaxRetries = programtest.Patience, programtest.Patience, true, -1
			patient := redis.NewClient(opts)
			t.Cleanup(func() { _ = patient.Close() })
			p, i := queue.NewProducer(patient, queue.ProducerConfig{AttemptTimeout: attemptTimeout}), queue.NewInspector(patient, 1)
			rec := record("o1", order.QueueLow)
			_, err = p.Enqueue(t.Context(), rec)
			queuetest.Must(t, err)
			stop(t, b.Server)
			for name, call := range map[string]func(context.Context) error{
				"enqueue":     func(ctx context.Context) error { _, err := p.Enqueue(ctx, rec); return err },
				"enqueue all": func(ctx context.Context) error { return p.EnqueueAll(ctx, handovers(t, []order.Record{rec})) },
				"holds":       func(ctx context.Context) error { _, err := p.Holds(ctx, rec); return err },
				"withdraw":    func(ctx context.Context) error { return p.Withdraw(ctx, rec) },
				"register":    i.Register,
				"backlog":     func(ctx context.Context) error { _, err := i.Backlog(ctx); return err },
				"depths":      func(ctx context.Context) error { _, err := i.Depths(ctx); return err },
				"workers":     func(ctx context.Context) error { _, err := i.Workers(ctx); return err },
				"pause":       func(ctx context.Context) error { return i.Pause(ctx, order.QueueLow) },
				"resume":      func(ctx context.Context) error { return i.Resume(ctx, order.QueueLow) },
			} {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				started := time.Now()
				err := call(ctx)
				cancel()
				if !errors.Is(err, order.ErrUnavailable) {
					t.Errorf("%s answered %v", name, err)
				}
				if took := time.Since(started); took > programtest.Patience/10 {
					t.Errorf("%s took %v", name, took)
				}
			}
		})
	}
}
