package queue

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/prefetch"
)

// RetryDelay returns when Asynq retries a task after an error.
func (b Backoff) RetryDelay(retried int, err error) time.Duration {
	return b.retryDelay(retried, err, nil)
}

// IsFailure reports whether Asynq counts an error towards its own limit.
func IsFailure(err error) bool { return isFailure(err) }

// NewConsumerWithUnknownAsynq returns the consumer of a program that is linked with a
// version of Asynq that is not known.
func NewConsumerWithUnknownAsynq(rdb redis.UniversalClient, cfg ConsumerConfig, h Handler) (*Consumer, error) {
	return newConsumer(rdb, cfg, h, prefetch.ErrVersion)
}

// NewProducerWithUnknownAsynq returns the producer of such a program.
func NewProducerWithUnknownAsynq(rdb redis.UniversalClient, cfg ProducerConfig) *Producer {
	return newProducer(rdb, cfg, prefetch.ErrVersion)
}

// Names are the names by which Asynq knows the queues of so many books.
func Names(books int) []string { return newNames(books).all }

// Requeue makes active tasks pending again.
func Requeue(ctx context.Context, rdb redis.UniversalClient, q order.Queue, tasks []prefetch.Task) (int, error) {
	return requeue(ctx, rdb, string(q), tasks)
}
