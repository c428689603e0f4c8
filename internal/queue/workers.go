package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/stats"
)

const (
	// serversKey lists the keys of all Asynq servers by the second in which they expire, by
	// the clock of the worker: a worker has several.
	serversKey = "asynq:servers"
	// heartbeatKept is how long after a heartbeat the key of its server expires. A server
	// has a heartbeat every five seconds.
	heartbeatKept = 10 * time.Second
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
	processes, err := i.Processes(ctx)
	var workers stats.WorkerPool
	for _, p := range processes {
		if p.Slots > 0 {
			workers.Workers++
			workers.Slots += p.Slots
		}
	}
	return workers, err
}

// Processes returns the worker processes alive, in no order. One that was killed is among
// them for up to ten seconds more. Two processes with the same host name and process id
// count as one. It returns order.ErrUnavailable when Redis did not answer.
func (i *Inspector) Processes(ctx context.Context) ([]stats.Process, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(serverInfo)
	if err != nil {
		return nil, fmt.Errorf("list workers: %w: %w", prefetch.ErrVersion, err)
	}
	beats, err := i.heartbeats(ctx)
	if err != nil {
		return nil, fmt.Errorf("list workers: %w: %w", order.ErrUnavailable, err)
	}
	type key struct {
		host string
		pid  int64
	}
	found := map[key]stats.Process{}
	for _, beat := range beats {
		server := kind.New()
		if err := proto.Unmarshal([]byte(beat.server), server.Interface()); err != nil {
			continue // not written by Asynq
		}
		field := func(name protoreflect.Name) protoreflect.Value {
			return server.Get(kind.Descriptor().Fields().ByName(name))
		}
		k := key{field("host").String(), field("pid").Int()}
		p, known := found[k]
		if started, ok := field("start_time").Message().Interface().(*timestamppb.Timestamp); ok && (!known || started.AsTime().Before(p.StartedAt)) {
			p.StartedAt = started.AsTime()
		}
		if beat.at.After(p.SeenAt) {
			p.SeenAt = beat.at
		}
		if field("status").String() == statusActive {
			p.Slots += int(field("concurrency").Int())
		}
		p.Host, p.PID = k.host, int(k.pid)
		found[k] = p
	}
	return slices.Collect(maps.Values(found)), nil
}

// heartbeat is the last sign of life of a server.
type heartbeat struct {
	server string    // Asynq's message about it
	at     time.Time // by its own clock, in whole seconds
}

// heartbeats returns the last heartbeat of each living server.
func (i *Inspector) heartbeats(ctx context.Context) ([]heartbeat, error) {
	listed, err := i.rdb.ZRangeWithScores(ctx, serversKey, 0, -1).Result()
	if err != nil {
		return nil, err
	}
	pipe := i.rdb.Pipeline()
	answers := make([]*redis.StringCmd, len(listed))
	for n, z := range listed {
		key, _ := z.Member.(string)
		answers[n] = pipe.Get(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	var beats []heartbeat
	for n, answer := range answers {
		text, err := answer.Result()
		switch {
		case errors.Is(err, redis.Nil): // the server was killed
		case err != nil:
			return nil, err
		default:
			beats = append(beats, heartbeat{text, time.Unix(int64(listed[n].Score), 0).Add(-heartbeatKept).UTC()})
		}
	}
	return beats, nil
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
