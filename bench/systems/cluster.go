package systems

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// clusterSlots is how many slots a Redis Cluster has.
const clusterSlots = 16384

// Cluster is a private Redis Cluster of masters that share the slots evenly, each with the
// settings of deploy/redis.conf. It has no replicas.
type Cluster struct {
	// Nodes are its masters, in the order of their slots.
	Nodes []*Redis

	client *redis.ClusterClient
}

// OpenCluster starts so many redis-servers, as OpenRedis does, and waits until they are one
// Redis Cluster.
func OpenCluster(ctx context.Context, root, dir string, d Durability, nodes int, settings ...string) (*Cluster, error) {
	c := &Cluster{}
	var buses []string
	for range nodes {
		bus, err := freeAddr()
		if err != nil {
			c.Close()
			return nil, fmt.Errorf("start redis-server: %w", err)
		}
		bus = strings.TrimPrefix(bus, "127.0.0.1:")
		r, err := OpenRedis(ctx, root, dir, d, append([]string{"--cluster-enabled", "yes", "--cluster-port", bus}, settings...)...)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.Nodes, buses = append(c.Nodes, r), append(buses, bus)
	}
	if err := c.form(ctx, buses); err != nil {
		c.Close()
		return nil, fmt.Errorf("form a Redis Cluster: %w", err)
	}
	c.client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.addrs()})
	return c, nil
}

// form shares the slots out and makes the nodes known to each other.
func (c *Cluster) form(ctx context.Context, buses []string) error {
	for n, node := range c.Nodes {
		host, port, err := net.SplitHostPort(c.Nodes[0].Addr())
		if err != nil {
			return err
		}
		pipe := node.Client().Pipeline()
		pipe.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", n+1)
		pipe.ClusterAddSlotsRange(ctx, n*clusterSlots/len(c.Nodes), (n+1)*clusterSlots/len(c.Nodes)-1)
		if n > 0 {
			pipe.Do(ctx, "CLUSTER", "MEET", host, port, buses[0])
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
	}
	known := "cluster_known_nodes:" + strconv.Itoa(len(c.Nodes)) + "\r\n"
	for _, node := range c.Nodes {
		err := node.Await(ctx, "the Redis Cluster is well", func() bool {
			info := node.Client().ClusterInfo(ctx).Val()
			return strings.Contains(info, "cluster_state:ok\r\n") && strings.Contains(info, known)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) addrs() (all []string) {
	for _, node := range c.Nodes {
		all = append(all, node.Addr())
	}
	return all
}

// URL is its address for REDIS_URL.
func (c *Cluster) URL() string {
	addrs := c.addrs()
	return "redis://" + addrs[0] + "?addr=" + strings.Join(addrs[1:], "&addr=")
}

// Client returns a client of all nodes, which closes with them.
func (c *Cluster) Client() *redis.ClusterClient { return c.client }

// NodeOf returns which node has the slot of a key.
func (c *Cluster) NodeOf(ctx context.Context, key string) (int, error) {
	slot, err := c.Nodes[0].Client().ClusterKeySlot(ctx, key).Result()
	if err != nil {
		return 0, fmt.Errorf("find the node of %s: %w", key, err)
	}
	n := 0
	for int(slot) >= (n+1)*clusterSlots/len(c.Nodes) {
		n++
	}
	return n, nil
}

// Close ends the servers and removes their data. It may be called twice.
func (c *Cluster) Close() {
	if c.client != nil {
		_ = c.client.Close()
	}
	for _, node := range c.Nodes {
		node.Close()
	}
}
