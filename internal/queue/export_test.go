package queue

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// DelayOf is when Asynq brings a task back after an error.
func (b Backoff) DelayOf(retried int, err error) time.Duration { return b.delayOf(retried, err, nil) }

// Counts says whether Asynq counts a failure towards its own limit.
func Counts(err error) bool { return counts(err) }

// Within waits for a call until ctx ends.
func Within[T any](ctx context.Context, call func() (T, error)) (T, error) { return within(ctx, call) }

// SetClock makes it tell the time by another clock.
func (t *Tasks) SetClock(now func() time.Time) {
	t.now = func(context.Context) (time.Time, error) { return now(), nil }
}

// The scripts of Asynq that are run in another way than its own, by their SHA-1.
const (
	EnqueueSHA = enqueueSHA
	DequeueSHA = dequeueSHA
	DoneSHA    = doneSHA
)

// Lane is the Redis client of a lane that asks for the tasks of these queues, without
// the Asynq server that would ask.
func (c *Consumer) Lane(queues ...order.Queue) redis.UniversalClient {
	return &lane{UniversalClient: c.rdb, queues: queues, ahead: c.ahead, ended: c.ended}
}

// Look looks into the queues, gives back what is too old, and everything when ctx
// ends, as Run does.
func (c *Consumer) Look(ctx context.Context) { c.ahead.run(ctx) }

// Listen listens to the word of new tasks until ctx ends, as Run does.
func (c *Consumer) Listen(ctx context.Context) { c.ahead.listen(ctx) }

// FetchAhead fetches tasks of a queue as a lane that asks for one does.
func (c *Consumer) FetchAhead(q order.Queue) {
	c.ahead.mu.Lock()
	defer c.ahead.mu.Unlock()
	if own := c.ahead.queues[q]; !own.asking {
		_ = c.ahead.fetch(q, own)
	}
}

// Ahead is how many tasks were fetched and are not begun.
func (c *Consumer) Ahead() (n int) {
	c.ahead.mu.Lock()
	defer c.ahead.mu.Unlock()
	for _, own := range c.ahead.queues {
		n += len(own.tasks)
	}
	return n
}

// SetMaxAge makes the consumer keep what it has fetched ahead for another time.
func (c *Consumer) SetMaxAge(age time.Duration) {
	c.ahead.mu.Lock()
	defer c.ahead.mu.Unlock()
	c.ahead.maxAge = age
}

// Measure measures the pace of a queue of which so many orders were begun since the
// last time.
func (c *Consumer) Measure(q order.Queue, begun int) (pace int) {
	own := c.ahead.queues[q]
	own.begun = begun
	c.ahead.measure()
	return own.pace
}
