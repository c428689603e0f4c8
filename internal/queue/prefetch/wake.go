package prefetch

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// silence is how long a subscription may be silent until Redis is asked whether it is
	// still there, and how long it has to answer.
	silence = 500 * time.Millisecond
	// listenAgain is the wait before a lost subscription is replaced.
	listenAgain = 100 * time.Millisecond
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
		if isPlain(queue) {
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

// listen wakes the servers at each announcement, until ctx ends. It subscribes again when
// the connection was lost or the Redis node does not answer any more, each time on the node
// of another queue if there are several books: in a Redis Cluster each node has all
// announcements.
func (p *Prefetcher) listen(ctx context.Context) {
	channels := []string{wakeChannel}
	if p.hasBooks() {
		channels = nil
		for name := range p.buffers { // in any order
			channels = append(channels, ownChannel(name))
		}
	}
	for ctx.Err() == nil {
		p.hear(ctx, channels)
		channels = append(channels[1:], channels[0])
		pause(ctx, listenAgain)
	}
}

// hear wakes the servers at each announcement, until the connection breaks or is silent.
func (p *Prefetcher) hear(ctx context.Context, channels []string) {
	subscription := p.rdb.Subscribe(ctx, channels...)
	closing := context.AfterFunc(ctx, func() { _ = subscription.Close() })
	defer func() {
		closing()
		_ = subscription.Close()
	}()
	for asked := false; ; {
		message, err := subscription.ReceiveTimeout(ctx, silence)
		var late net.Error
		switch {
		case err == nil:
			asked = false
			p.wake(p.announced(message)...)
		case asked, !errors.As(err, &late), !late.Timeout(), subscription.Ping(ctx) != nil:
			return
		default:
			asked = true
		}
	}
}

// announced returns the queues that a message is about, as Asynq knows them. It may name
// unknown ones, or be no announcement.
func (p *Prefetcher) announced(message any) (names []string) {
	m, ok := message.(*redis.Message)
	if !ok {
		return nil
	}
	text := m.Payload
	if m.Channel != wakeChannel {
		text = queueOf(m.Channel)
	}
	for name := range strings.SplitSeq(text, ",") {
		if p.buffers[name] != nil {
			names = append(names, name)
		}
	}
	return names
}

// pause waits for a time, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
