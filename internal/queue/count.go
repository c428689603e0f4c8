package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/batch"
	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
)

const (
	// countTimeout bounds a count, and countTimeoutOfMany one for several books together: one
	// that does not answer must not keep the others from being watched.
	countTimeout       = 5 * time.Second
	countTimeoutOfMany = 700 * time.Millisecond
	// maxCounting bounds the counts that wait: each book has one.
	maxCounting = 1000
)

// counter counts the tasks of queues, those of concurrent callers in one pipeline.
type counter = batch.Batcher[[]string, []*redis.IntCmd]

func newCounter(rdb redis.UniversalClient, books int) *counter {
	timeout := countTimeout
	if books > 1 {
		timeout = countTimeoutOfMany
	}
	return batch.New(
		batch.Config{MaxBatch: order.MaxBooks, MaxWaiting: maxCounting, Timeout: timeout},
		func(ctx context.Context, all [][]string) ([][]*redis.IntCmd, error) {
			pipe := rdb.Pipeline()
			answers := make([][]*redis.IntCmd, len(all))
			for i, queues := range all {
				for _, q := range queues {
					answers[i] = append(answers[i], pipe.LLen(ctx, queueKey(q, "active")))
				}
				for _, q := range queues {
					for _, set := range delayedSets() {
						answers[i] = append(answers[i], pipe.ZCard(ctx, queueKey(q, set)))
					}
				}
			}
			_, _ = pipe.Exec(ctx) // each command has its own answer
			return answers, nil
		})
}

// Count returns how many tasks there are.
func (t *Tasks) Count(ctx context.Context) (counts recovery.Counts, err error) {
	queues := t.queues()
	answers, err := t.counter.Do(ctx, queues)
	for i, answer := range answers {
		switch {
		case answer.Err() != nil:
			err = answer.Err()
		case i < len(queues):
			counts.Active += answer.Val()
		default:
			counts.Delayed += answer.Val()
		}
	}
	if err != nil {
		return recovery.Counts{}, fmt.Errorf("count the tasks: %w: %w", order.ErrUnavailable, err)
	}
	return counts, nil
}
