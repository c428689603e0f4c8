package ledger

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// nodeTimeout bounds a question to one of several nodes: the others have answered by then.
const nodeTimeout = 300 * time.Millisecond

// eachNode calls a function for each primary of a Redis Cluster, one after the other,
// or for the one Redis there is.
func eachNode(ctx context.Context, rdb redis.UniversalClient, do func(context.Context, redis.Cmdable) error) error {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok {
		return do(ctx, rdb)
	}
	nodes, err := primaries(ctx, cluster)
	for _, node := range nodes {
		err = errors.Join(err, do(ctx, node))
	}
	return err
}

// askNodes asks each primary of a Redis Cluster, all at once, or the one Redis there is. It
// returns the answers of those that answer, or the errors if none does.
func askNodes[T any](ctx context.Context, rdb redis.UniversalClient, ask func(context.Context, redis.Cmdable) (T, error)) ([]T, error) {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok {
		answer, err := ask(ctx, rdb)
		return []T{answer}, err
	}
	nodes, err := primaries(ctx, cluster)
	answers, errs := make([]T, len(nodes)), make([]error, len(nodes))
	var asking sync.WaitGroup
	for i, node := range nodes {
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, nodeTimeout)
			defer cancel()
			answers[i], errs[i] = ask(ctx, node)
		})
	}
	asking.Wait()
	var answered []T
	for i, answer := range answers {
		if errs[i] == nil {
			answered = append(answered, answer)
		}
	}
	if len(answered) > 0 {
		return answered, nil
	}
	return nil, errors.Join(err, errors.Join(errs...))
}

// primaries returns a client of each, which follows no redirection.
func primaries(ctx context.Context, cluster *redis.ClusterClient) (nodes []*redis.Client, err error) {
	var mu sync.Mutex
	err = cluster.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, node)
		return nil
	})
	if err == nil && len(nodes) == 0 {
		err = errors.New("no node has a slot")
	}
	return nodes, err
}
