package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

const (
	// serversKey lists the keys of Asynq's servers: a worker has one for each lane.
	// Each of those keys lives for ten seconds after its server's last sign of life.
	serversKey = "asynq:servers"
	// workersKey lists the keys of what each server is working.
	workersKey = "asynq:workers"
	// rememberDead is how long the lists keep the key of a server that was killed.
	rememberDead = time.Hour
	// serverInfo is Asynq's name for what a server says of itself.
	serverInfo = "asynq.ServerInfo"
	// active is the status of a server that takes orders.
	active = "active"
)

// WorkerPool returns the workers alive. One that was killed counts for up to ten seconds
// more. It returns order.ErrUnavailable when Redis could not be asked.
//
// It only reads, and goes by what Redis still holds: Asynq's own list of servers
// removes those that are dead by the clock of whoever asks, and a wrong clock would
// remove them all.
func (i *Inspector) WorkerPool(ctx context.Context) (stats.WorkerPool, error) {
	signs, err := i.signsOfLife(ctx)
	if err != nil {
		return stats.WorkerPool{}, fmt.Errorf("list workers: %w: %w", order.ErrUnavailable, err)
	}
	return fleet(signs)
}

// signsOfLife returns what each living server says of itself.
func (i *Inspector) signsOfLife(ctx context.Context) ([]string, error) {
	keys, err := i.rdb.ZRange(ctx, serversKey, 0, -1).Result()
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	pipe := i.rdb.Pipeline()
	answers := make([]*redis.StringCmd, len(keys))
	for n, key := range keys {
		answers[n] = pipe.Get(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	var signs []string
	for _, answer := range answers {
		text, err := answer.Result()
		switch {
		case errors.Is(err, redis.Nil): // it was killed
		case err != nil:
			return nil, err
		default:
			signs = append(signs, text)
		}
	}
	return signs, nil
}

// fleet adds up the servers of all processes.
func fleet(signs []string) (stats.WorkerPool, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(serverInfo)
	if err != nil {
		return stats.WorkerPool{}, fmt.Errorf("list workers: %w: %w", errLayout, err)
	}
	type process struct {
		host string
		pid  int64
	}
	var f stats.WorkerPool
	processes := map[process]bool{}
	for _, sign := range signs {
		server := kind.New()
		if err := proto.Unmarshal([]byte(sign), server.Interface()); err != nil {
			continue // not Asynq's, which writes no other
		}
		field := func(name protoreflect.Name) protoreflect.Value {
			return server.Get(kind.Descriptor().Fields().ByName(name))
		}
		if field("status").String() == active {
			f.Slots += int(field("concurrency").Int())
			processes[process{field("host").String(), field("pid").Int()}] = true
		}
	}
	f.Workers = len(processes)
	return f, nil
}

// forgetDead takes servers off Asynq's lists that were killed long ago, by the clock of
// Redis. One that ends by itself does so for itself.
func forgetDead(ctx context.Context, rdb redis.UniversalClient) error {
	now, err := rdb.Time(ctx).Result()
	if err != nil {
		return fmt.Errorf("forget dead workers: %w: %w", order.ErrUnavailable, err)
	}
	before := "(" + strconv.FormatInt(now.Add(-rememberDead).Unix(), 10)
	for _, list := range []string{serversKey, workersKey} {
		if err := rdb.ZRemRangeByScore(ctx, list, "-inf", before).Err(); err != nil {
			return fmt.Errorf("forget dead workers: %w: %w", order.ErrUnavailable, err)
		}
	}
	return nil
}
