package queue

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// wakeChannel is where producers say which queues have new tasks, by their names
// with commas between. Nothing depends on it but how soon an idle worker begins:
// what is missed there is found at the next look.
const wakeChannel = "asynq:wake"

// announce queues the message about these orders behind their tasks.
func announce(ctx context.Context, pipe redis.Pipeliner, waiting []order.Handover) {
	var names []string
	for _, q := range order.Queues() {
		for _, h := range waiting {
			if h.Record.Queue == q && h.Record.Status != order.StatusScheduled {
				names = append(names, string(q))
				break
			}
		}
	}
	if len(names) > 0 {
		pipe.Publish(ctx, wakeChannel, strings.Join(names, ","))
	}
}

// listen wakes the lanes when there are new tasks, until ctx ends.
func (a *ahead) listen(ctx context.Context) {
	heard := a.rdb.Subscribe(ctx, wakeChannel)
	defer func() { _ = heard.Close() }()
	messages := heard.Channel()
	for {
		select {
		case m, ok := <-messages:
			if !ok {
				return
			}
			a.wake(named(m.Payload)...)
		case <-ctx.Done():
			return
		}
	}
}

// named is the queues that a message names; it may name others.
func named(message string) []order.Queue {
	var queues []order.Queue
	for _, q := range order.Queues() {
		if strings.Contains(","+message+",", ","+string(q)+",") {
			queues = append(queues, q)
		}
	}
	return queues
}
