package peers

import (
	"context"
	"time"

	"github.com/gocraft/work"
	"github.com/gomodule/redigo/redis"
)

const (
	// gocraftVersion is what go.mod pins.
	gocraftVersion = "v0.5.1"
	// gocraftNamespace and gocraftJob name the one queue.
	gocraftNamespace = "bench"
	gocraftJob       = "order"
)

// gocraftPeer is gocraft/work as its documentation shows it, with more
// connections: one pool of workers, each of which fetches for itself. An idle
// worker asks again after 10 ms, 100 ms, 1 s and 5 s, which cannot be set.
func gocraftPeer() Peer {
	return Peer{
		Name: "gocraft/work", Version: gocraftVersion, Store: "Redis",
		Open: opener(inProcess(openGocraft)),
	}
}

type gocraft struct {
	pool     *redis.Pool
	enqueuer *work.Enqueuer
}

func openGocraft(ctx context.Context, h *home, d Durability) (engine, error) {
	addr, err := startRedis(ctx, h, d)
	if err != nil {
		return nil, err
	}
	pool := &redis.Pool{
		MaxActive: 2 * connections, MaxIdle: connections, Wait: true, IdleTimeout: time.Minute,
		Dial: func() (redis.Conn, error) { return redis.Dial("tcp", addr) },
	}
	return &gocraft{pool: pool, enqueuer: work.NewEnqueuer(gocraftNamespace, pool)}, nil
}

func (g *gocraft) put(_ context.Context, body []byte) error {
	_, err := g.enqueuer.Enqueue(gocraftJob, work.Q{"body": string(body)})
	return err
}

func (g *gocraft) run(_ context.Context, slots int, do func([]byte) error) (func() error, error) {
	workers := work.NewWorkerPool(struct{}{}, uint(slots), gocraftNamespace, g.pool)
	workers.Job(gocraftJob, func(job *work.Job) error { return do([]byte(job.ArgString("body"))) })
	workers.Start()
	return func() error {
		workers.Stop()
		return nil
	}, nil
}

func (g *gocraft) close() error { return g.pool.Close() }
