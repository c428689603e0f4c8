package peers

import (
	"context"

	"github.com/hibiken/asynq"

	"orderprocessor/bench/systems"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

// asynqPeer is Asynq as its documentation shows it: one server with weighted
// queues, jobs deleted when they are done. Its polling of idle queues, once a
// second, is the default: the documentation warns of less.
func asynqPeer() Peer {
	return Peer{Name: "Asynq", Version: versionOf("github.com/hibiken/asynq"), Store: "Redis", Open: inProcess(openAsynq)}
}

type asynqEngine struct {
	redis  *systems.Redis
	opts   asynq.RedisClientOpt
	client *asynq.Client
}

func openAsynq(ctx context.Context, root, dir string) (engine, error) {
	redis, err := systems.OpenRedis(ctx, root, dir, systems.Everysec)
	if err != nil {
		return nil, err
	}
	opts := asynq.RedisClientOpt{Addr: redis.Addr(), PoolSize: connections}
	return &asynqEngine{redis: redis, opts: opts, client: asynq.NewClient(opts)}, nil
}

func (e *asynqEngine) put(ctx context.Context, body []byte) error {
	o, err := decode(body)
	if err != nil {
		return err
	}
	_, err = e.client.EnqueueContext(ctx, asynq.NewTask("order", body), asynq.Queue(string(bounds.Queue(rules.Facts{Order: o}))))
	return err
}

func (e *asynqEngine) run(_ context.Context, slots int, work func([]byte) error) (func() error, error) {
	server := asynq.NewServer(e.opts, asynq.Config{
		Concurrency: slots,
		Queues: map[string]int{
			string(order.QueueCritical): 6, string(order.QueueDefault): 3, string(order.QueueLow): 1,
		},
		LogLevel: asynq.FatalLevel,
	})
	err := server.Start(asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error { return work(t.Payload()) }))
	return func() error {
		server.Shutdown()
		return nil
	}, err
}

func (e *asynqEngine) close() error {
	defer e.redis.Close()
	return e.client.Close()
}
