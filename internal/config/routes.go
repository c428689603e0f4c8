package config

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// routes is a hook of each node of a Cluster that makes the client ask again which node
// has which slot as soon as a node does not answer. By itself go-redis asks when a node
// refers it to another one, which a node that is gone does not, and once a minute. It asks
// at most five times a second.
type routes struct{ cluster *redis.ClusterClient }

var _ redis.Hook = routes{}

// followNodes adds the hook to every node, also to those that join later.
func followNodes(cluster *redis.ClusterClient) {
	cluster.OnNewNode(func(node *redis.Client) { node.AddHook(routes{cluster}) })
}

// DialHook implements redis.Hook.
func (routes) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (r routes) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return r.observe(ctx, next(ctx, cmd))
	}
}

// ProcessPipelineHook implements redis.Hook.
func (r routes) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return r.observe(ctx, next(ctx, cmds))
	}
}

// observe asks again after an error that is no reply, unless the caller gave up, and when a
// node says that it is no master or that the slot has none.
func (r routes) observe(ctx context.Context, err error) error {
	var reply redis.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
	case !errors.As(err, &reply), redis.IsReadOnlyError(err), redis.IsClusterDownError(err):
		r.cluster.ReloadState(ctx)
	}
	return err
}
