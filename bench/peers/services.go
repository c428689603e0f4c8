package peers

import (
	"context"

	"orderprocessor/bench/systems"
)

// asynqService is bench/naive with a record of its own.
func asynqService() Service {
	p := asynqPeer()
	return Service{Name: "Asynq, record in Redis", Version: p.Version, Store: p.Store, Open: func(
		ctx context.Context, programs *systems.Programs, dir string,
	) (*Running, error) {
		r, addr, err := onRedis(ctx, programs, dir)
		if err != nil {
			return nil, err
		}
		r.env = []string{"REDIS_URL=redis://" + addr + "/0"}
		naive := programs.Binary("naive")
		return r.start(ctx, []string{naive, "api", "hash"}, []string{naive, "worker", "hash"})
	}}
}

// bullMQService is two programs of Node. Like any such, each decides on one core.
func bullMQService() Service {
	p := bullMQPeer()
	return Service{Name: "BullMQ, record in Redis", Version: p.Version, Store: p.Store, Open: func(
		ctx context.Context, programs *systems.Programs, dir string,
	) (*Running, error) {
		node, err := installBullMQ(ctx, dir)
		if err != nil {
			return nil, err
		}
		r, addr, err := onRedis(ctx, programs, dir)
		if err != nil {
			return nil, err
		}
		r.env = []string{"NODE_ENV=production"}
		return r.start(ctx, []string{node, "api.mjs", addr}, []string{node, "worker.mjs", addr})
	}}
}

// riverService is bench/river, with this setting of synchronous_commit.
func riverService(name, commits string) Service {
	return Service{
		Name: name, Version: riverPeer().Version, Store: "PostgreSQL, synchronous_commit " + commits,
		Open: func(ctx context.Context, programs *systems.Programs, dir string) (*Running, error) {
			e, err := openRiver(ctx, commits)
			if err != nil {
				return nil, err
			}
			r := &Running{dir: dir, store: e, Parts: []systems.Part{{Name: "PostgreSQL", Process: e.postgres.Process}}}
			r.env = []string{"DATABASE_URL=" + e.postgres.address()}
			return r.start(ctx, []string{programs.Binary("river"), "api"}, []string{programs.Binary("river"), "worker"})
		},
	}
}

// onRedis prepares a service on a Redis of its own.
func onRedis(ctx context.Context, p *systems.Programs, dir string) (r *Running, addr string, err error) {
	redis, err := systems.OpenRedis(ctx, p.Root(), dir, systems.Everysec)
	if err != nil {
		return nil, "", err
	}
	return &Running{dir: dir, store: redisStore{redis}, Parts: []systems.Part{{Name: "Redis", Process: redis.Process}}}, redis.Addr(), nil
}

type redisStore struct{ *systems.Redis }

func (redisStore) analyse(context.Context) error { return nil }

func (s redisStore) close() error {
	s.Close()
	return nil
}
