package config_test

import (
	"testing"
	"time"

	"orderprocessor/internal/config"
	"orderprocessor/internal/redistest"
)

// TestClusterIsFollowed checks that a client finds the node that has taken the place of one
// that is gone: after a few commands, and not after the minute of go-redis, which is some
// hundreds.
func TestClusterIsFollowed(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	r, err := config.ParseRedis(c.URL())
	must(t, err)
	rdb := r.Client(config.Tuning{DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second})
	t.Cleanup(func() { _ = rdb.Close() })
	must(t, rdb.Set(t.Context(), "key", "value", 0).Err())

	master := c.Owner("key")
	replica := c.Replicas(master)[0]
	master.Kill()
	must(t, replica.Redis.Do(t.Context(), "CLUSTER", "FAILOVER", "TAKEOVER").Err())
	c.AwaitFailover(master, "key")
	const few = 50
	failed := 0
	for rdb.Set(t.Context(), "key", "value", 0).Err() != nil {
		if failed++; failed == few {
			t.Fatalf("%d commands failed although a replica is master", failed)
		}
	}
}
