package prefetch

import (
	"context"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// wakeChannel is where producers announce new tasks. With one book, a message is the names
// of their queues, separated by commas. With more, each of Asynq's queues has a channel of
// its own, whose messages are empty; see ownChannel. A message that is lost delays idle
// workers until their next poll.
const wakeChannel = "asynq:wake"

// ownChannel is the channel of a queue of one of several books. It is in the Redis Cluster
// slot of the queue.
func ownChannel(queue string) string { return "asynq:{" + queue + "}:wake" }

// publish announces new tasks in these queues behind the commands in the pipeline.
func publish(ctx context.Context, pipe redis.Pipeliner, queues []string) {
	var together []string
	for _, queue := range queues {
		if slices.Contains(order.Queues(), order.Queue(queue)) {
			together = append(together, queue)
			continue
		}
		announce := redis.NewIntCmd(ctx, "publish", ownChannel(queue), "")
		// Redis Cluster takes it on any node, and go-redis would choose one that may be away.
		announce.SetFirstKeyPos(1)
		_ = pipe.Process(ctx, announce)
	}
	if len(together) > 0 {
		pipe.Publish(ctx, wakeChannel, strings.Join(together, ","))
	}
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
