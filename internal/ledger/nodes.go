package ledger

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// nodeTimeout bounds a question to one of several nodes: the others have answered by then.
const nodeTimeout = 300 * time.Millisecond

// Node is a primary of a Redis Cluster, or the one Redis there is. Its commands follow no
// redirection.
type Node struct {
	// Addr is its host:port; for the one Redis, what the client connects to.
	Addr string
	redis.Cmdable
}

// Nodes returns each primary of a Redis Cluster, by address, whether it answers or not, or
// the one Redis there is. It returns order.ErrUnavailable when no node says which there are.
func Nodes(ctx context.Context, rdb redis.UniversalClient) (nodes []Node, err error) {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok {
		node := Node{Cmdable: rdb}
		if one, ok := rdb.(*redis.Client); ok {
			node.Addr = one.Options().Addr
		}
		return []Node{node}, nil
	}
	// It asks any node, perhaps one that hangs, and then uses what was known before.
	ctx, cancel := context.WithTimeout(ctx, nodeTimeout)
	defer cancel()
	var mu sync.Mutex
	err = cluster.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, Node{node.Options().Addr, node})
		return nil
	})
	if err == nil && len(nodes) == 0 {
		err = errors.New("no node has a slot")
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Addr, b.Addr) })
	return nodes, wrap(err, "list the nodes")
}

// NodeOf returns the address of the primary of a Redis Cluster that has the slot of a key, or
// of the one Redis there is. It returns order.ErrUnavailable when no node says it.
func NodeOf(ctx context.Context, rdb redis.UniversalClient, key string) (string, error) {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok {
		nodes, err := Nodes(ctx, rdb)
		return nodes[0].Addr, err
	}
	node, err := cluster.MasterForKey(ctx, key)
	if err != nil {
		return "", wrap(err, "find the node of %s", key)
	}
	return node.Options().Addr, nil
}

// eachNode calls a function for each primary of a Redis Cluster, one after the other,
// or for the one Redis there is.
func eachNode(ctx context.Context, rdb redis.UniversalClient, do func(context.Context, redis.Cmdable) error) error {
	nodes, err := Nodes(ctx, rdb)
	for _, node := range nodes {
		err = errors.Join(err, do(ctx, node))
	}
	return err
}

// askNodes asks each primary of a Redis Cluster, all at once, or the one Redis there is. It
// returns the answers of those that answer, or the errors if none does.
func askNodes[T any](ctx context.Context, rdb redis.UniversalClient, ask func(context.Context, Node) (T, error)) ([]T, error) {
	nodes, err := Nodes(ctx, rdb)
	if len(nodes) == 1 {
		answer, err := ask(ctx, nodes[0])
		return []T{answer}, err
	}
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
