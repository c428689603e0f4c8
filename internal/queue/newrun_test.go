package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// TestRetryAtOnce holds that an order which is given another run while a worker still
// holds the task of the run before is delivered again, however that run ends. Nothing
// but the producer brings it back here: recovery does not run.
func TestRetryAtOnce(t *testing.T) {
	b := open(t)
	const each = 60
	ends := map[string]error{
		"failed":   &order.PermanentError{Err: errors.New("refused")}, // archives the task
		"rejected": nil,                                               // deletes it
		"waits":    &order.RetryError{After: time.Hour, Err: errors.New("busy")},
	}
	var (
		mu        sync.Mutex
		delivered = map[string]int{}
		retrying  sync.WaitGroup
	)
	cfg := config()
	cfg.Concurrency = 8
	b.consume(t, cfg, func(_ context.Context, id string) error {
		mu.Lock()
		delivered[id]++
		first := delivered[id] == 1
		mu.Unlock()
		if !first {
			return nil
		}
		var kind string
		var n int
		if _, err := fmt.Sscanf(id, "%d-%s", &n, &kind); err != nil {
			t.Error(err)
		}
		retrying.Go(func() {
			run := order.Handover{Record: record(id, order.QueueDefault), NewRun: true}
			for {
				err := b.EnqueueAll(context.Background(), []order.Handover{run})
				if !errors.Is(err, order.ErrUnavailable) { // a starved machine may need longer than a second
					if err != nil {
						t.Error(err)
					}
					return
				}
			}
		})
		return ends[kind]
	})
	for kind := range ends {
		for n := range each {
			b.enqueue(t, order.QueueDefault, fmt.Sprintf("%d-%s", n, kind))
		}
	}
	eventually(t, "all orders are delivered twice", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range delivered {
			if n < 2 {
				return false
			}
		}
		return len(delivered) == each*len(ends)
	})
	retrying.Wait()
}
