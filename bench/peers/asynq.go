package peers

import (
	"context"

	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
)

// asynqVersion is what go.mod pins.
const asynqVersion = "v0.26.0"

// asynqPeer is Asynq as its documentation shows it: one server with weighted
// queues, jobs deleted when they are done. Its polling of idle queues, once a
// second, is the default: the documentation warns of less.
func asynqPeer() Peer {
	return Peer{
		Name: "Asynq", Version: asynqVersion, Store: "Redis",
		Open: opener(inProcess(openAsynq)),
	}
}

type asynqEngine struct {
	redis  asynq.RedisClientOpt
	client *asynq.Client
}

func openAsynq(ctx context.Context, h *home) (engine, error) {
	addr, err := startRedis(ctx, h)
	if err != nil {
		return nil, err
	}
	at := asynq.RedisClientOpt{Addr: addr, PoolSize: connections}
	return &asynqEngine{redis: at, client: asynq.NewClient(at)}, nil
}

func (e *asynqEngine) put(ctx context.Context, body []byte) error {
	o, err := decode(body)
	if err != nil {
		return err
	}
	_, err = e.client.EnqueueContext(ctx, asynq.NewTask("order", body), asynq.Queue(string(bounds().Queue(o))))
	return err
}

func (e *asynqEngine) run(_ context.Context, slots int, work func([]byte) error) (func() error, error) {
	server := asynq.NewServer(e.redis, asynq.Config{
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

func (e *asynqEngine) close() error { return e.client.Close() }
