package queue_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
)

// TestWithContext checks that a call which takes no context is waited for until the
// context ends and no longer, and that it ends undisturbed afterwards.
func TestWithContext(t *testing.T) {
	t.Parallel()
	odd := errors.New("odd")
	never := time.Duration(1<<63 - 1)
	rows := []struct {
		name  string
		takes time.Duration
		err   error
		until time.Duration // the context ends
		want  int
		wants error
		after time.Duration
	}{
		{"answers at once", 0, nil, time.Second, 7, nil, 0},
		{"answers in time", time.Second - 1, nil, time.Second, 7, nil, time.Second - 1},
		{"answers to a context that never ends", time.Hour, nil, never, 7, nil, time.Hour},
		{"fails in time", time.Second - 1, odd, time.Second, 7, odd, time.Second - 1},
		{"answers too late", time.Hour, nil, time.Second, 0, context.DeadlineExceeded, time.Second},
		{"fails too late", time.Hour, odd, time.Second, 0, context.DeadlineExceeded, time.Second},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), row.until)
				defer cancel()
				started, ended := time.Now(), make(chan struct{})
				got, err := queue.WithContext(ctx, func() (int, error) {
					defer close(ended)
					time.Sleep(row.takes) // fake time
					return 7, row.err
				})
				if got != row.want || !errors.Is(err, row.wants) {
					t.Errorf("answered %d, %v, want %d, %v", got, err, row.want, row.wants)
				}
				if after := time.Since(started); after != row.after {
					t.Errorf("answered after %v, want %v", after, row.after)
				}
				<-ended
				if took := time.Since(started); took != row.takes {
					t.Errorf("the call took %v, want %v", took, row.takes)
				}
			})
		})
	}
}

// TestFrozenRedis checks that every call ends with its context, although Asynq's inspector
// takes none and its client waits long.
func TestFrozenRedis(t *testing.T) {
	b := open(t)
	opts, err := redis.ParseURL(b.server.URL())
	must(t, err)
	opts.ReadTimeout, opts.WriteTimeout, opts.ContextTimeoutEnabled, opts.MaxRetries = patience, patience, true, -1
	patient := redis.NewClient(opts)
	t.Cleanup(func() { _ = patient.Close() })
	producer, i := queue.NewProducer(patient, queue.ProducerConfig{AttemptTimeout: attemptTimeout}), queue.NewInspector(patient)
	rec := record("o1", order.QueueLow)
	if _, err := producer.Enqueue(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	b.server.Freeze()
	t.Cleanup(b.server.Thaw)
	for name, ask := range map[string]func(context.Context) error{
		"enqueue":  func(ctx context.Context) error { _, err := producer.Enqueue(ctx, rec); return err },
		"holds":    func(ctx context.Context) error { _, err := producer.Holds(ctx, rec); return err },
		"withdraw": func(ctx context.Context) error { return producer.Withdraw(ctx, rec) },
		"depths":   func(ctx context.Context) error { _, err := i.Depths(ctx); return err },
		"workers":  func(ctx context.Context) error { _, err := i.Workers(ctx); return err },
		"pause":    func(ctx context.Context) error { return i.Pause(ctx, order.QueueLow) },
		"resume":   func(ctx context.Context) error { return i.Resume(ctx, order.QueueLow) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		started := time.Now()
		err := ask(ctx)
		cancel()
		if !errors.Is(err, order.ErrUnavailable) {
			t.Errorf("%s answered %v", name, err)
		}
		if took := time.Since(started); took > patience/10 {
			t.Errorf("%s took %v", name, took)
		}
	}
}
