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
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/stats"
)

const (
	// serversKey lists the keys of all Asynq servers: a worker has several. Each of these
	// keys expires ten seconds after the last heartbeat of its server.
	serversKey = "asynq:servers"
	// workersKey lists the keys of what each server is working.
	workersKey = "asynq:workers"
	// rememberDead is how long the lists keep the key of a server that was killed.
	rememberDead = time.Hour
	// serverInfo is Asynq's protobuf message of a heartbeat.
	serverInfo = "asynq.ServerInfo"
	// statusActive is the status of a server that takes orders.
	statusActive = "active"
)

// Workers returns the workers alive. One that was killed counts for up to ten seconds
// more. It returns order.ErrUnavailable when Redis did not answer.
//
// It reads the heartbeats that Redis still holds. Asynq's own list of servers also deletes
// those that are dead by the caller's clock, which would be all if that clock is wrong.
func (i *Inspector) Workers(ctx context.Context) (stats.WorkerPool, error) {
	beats, err := i.heartbeats(ctx)
	if err != nil {
		return stats.WorkerPool{}, fmt.Errorf("list workers: %w: %w", order.ErrUnavailable, err)
	}
	return countWorkers(beats)
}

// heartbeats returns the last heartbeat of each living server.
func (i *Inspector) heartbeats(ctx context.Context) ([]string, error) {
	keys, err := i.rdb.ZRange(ctx, serversKey, 0, -1).Result()
	if err != nil {
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
	var beats []string
	for _, answer := range answers {
		text, err := answer.Result()
		switch {
		case errors.Is(err, redis.Nil): // the server was killed
		case err != nil:
			return nil, err
		default:
			beats = append(beats, text)
		}
	}
	return beats, nil
}

// countWorkers counts the processes of active servers, and their slots.
func countWorkers(beats []string) (stats.WorkerPool, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(serverInfo)
	if err != nil {
		return stats.WorkerPool{}, fmt.Errorf("list workers: %w: %w", prefetch.ErrVersion, err)
	}
	type process struct {
		host string
		pid  int64
	}
	var workers stats.WorkerPool
	processes := map[process]bool{}
	for _, beat := range beats {
		server := kind.New()
		if err := proto.Unmarshal([]byte(beat), server.Interface()); err != nil {
			continue // not written by Asynq
		}
		field := func(name protoreflect.Name) protoreflect.Value {
			return server.Get(kind.Descriptor().Fields().ByName(name))
		}
		if field("status").String() == statusActive {
			workers.Slots += int(field("concurrency").Int())
			processes[process{field("host").String(), field("pid").Int()}] = true
		}
	}
	workers.Workers = len(processes)
	return workers, nil
}

// forgetDead removes servers from Asynq's lists that were killed over an hour ago, by the
// clock of Redis. A server that shuts down removes itself.
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
