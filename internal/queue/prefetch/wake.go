package prefetch

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// wakeChannel is where producers announce new tasks. A message is the names of their
// queues, separated by commas. A message that is lost delays idle workers until their
// next poll.
const wakeChannel = "asynq:wake"

// publish announces new tasks in these queues behind the commands in the pipeline.
func publish(ctx context.Context, pipe redis.Pipeliner, queues []order.Queue) {
	if len(queues) == 0 {
		return
	}
	names := make([]string, len(queues))
	for i, q := range queues {
		names[i] = string(q)
	}
	pipe.Publish(ctx, wakeChannel, strings.Join(names, ","))
}

// listen wakes the servers at each announcement, until ctx ends.
func (p *Prefetcher) listen(ctx context.Context) {
	subscription := p.rdb.Subscribe(ctx, wakeChannel)
	defer func() { _ = subscription.Close() }()
	messages := subscription.Channel()
	for {
		select {
		case m, ok := <-messages:
			if !ok {
				return
			}
			p.wake(announced(m.Payload)...)
		case <-ctx.Done():
			return
		}
	}
}

// announced returns the queues in a message, which may name unknown ones.
func announced(message string) []order.Queue {
	var queues []order.Queue
	for _, q := range order.Queues() {
		if strings.Contains(","+message+",", ","+string(q)+",") {
			queues = append(queues, q)
		}
	}
	return queues
}
